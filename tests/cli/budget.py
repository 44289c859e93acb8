#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command; fails if it takes more processor time or memory than allowed.

    budget.py SECONDS MEGABYTES COMMAND...

Processor time, not time on the clock, so that a busy machine does not matter.
"""
import resource
import subprocess
import sys

seconds, megabytes = float(sys.argv[1]), float(sys.argv[2])
done = subprocess.run(sys.argv[3:])
if done.returncode:
    sys.exit(done.returncode)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
time, memory = use.ru_utime + use.ru_stime, use.ru_maxrss / 1024
print(f"{time:.2f} s of {seconds:g}, {memory:.0f} MB of {megabytes:g}")
if time > seconds or memory > megabytes:
    sys.exit(f"over budget: {' '.join(sys.argv[3:])}")
