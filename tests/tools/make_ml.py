#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scikit-learn pipelines, trained on its data and exported by skl2onnx, with
onnxruntime's answers.

    make_ml.py OUT [NAME...]

Each becomes OUT/<name>/model.onnx with data sets of 1, 7 and 1,000 rows, or of
some texts. Seeded. Between them stand all operators of ai.onnx.ml that the
exporter writes; those it does not are in tests/cases. Needs onnxruntime and
requirements_ml.txt.
"""
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import skl2onnx
from skl2onnx.common import _container
from skl2onnx.common.data_types import (DictionaryType, FloatTensorType,
                                        Int64TensorType, StringTensorType)
from sklearn import (calibration, cluster, compose, datasets, decomposition,
                     discriminant_analysis, ensemble, feature_extraction,
                     feature_selection, gaussian_process, impute, linear_model,
                     multiclass, naive_bayes, neighbors, neural_network,
                     preprocessing, svm, tree)
from sklearn.pipeline import make_pipeline

from data_sets import answer

PLAIN = {"zipmap": False}
ROWS = (1, 7, 1000)
SENTENCES = """
the river rose after a week of rain
clouds and wind from the west, then rain
a dry summer left the river low
snow fell on the hills overnight
fog in the valley and frost at dawn
the team won the match in extra time
a late goal gave the visitors the cup
she broke the record over ten thousand metres
the coach changed the team at half time
rain stopped the match, the cup goes on
""".strip().split("\n")
ABOUT = ["weather"] * 5 + ["sport"] * 5
QUERIES = ["the river", "Rain stopped PLAY!", "", "cup cup cup of snow",
           "words nobody knows", "team, goal; wind... and frost"]
PIPELINES = {}


def pipeline(make):
    """`make(rng)` gives a model and the inputs of its data sets."""
    PIPELINES[make.__name__] = make
    return make


def data(name):
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return x.astype(np.float32), y


def rows_like(rng, x, n):
    noise = rng.standard_normal((n, x.shape[1])) * np.nanstd(x, 0) / 4
    return (x[rng.integers(0, len(x), n)] + noise).astype(np.float32)


def feeds(rng, model, x):
    name = model.graph.input[0].name
    return [{name: rows_like(rng, x, n)} for n in ROWS]


def numeric(name, make, source, options=PLAIN, label=lambda y: y,
            change=lambda rng, x: x, opset=None):
    """Registers a pipeline from floats; `change` to its data, before training
    and before asking, is where not-a-numbers come from."""
    def build(rng):
        x, y = data(source)
        x = change(rng, x)
        estimator = make().fit(x, label(y))
        model = skl2onnx.to_onnx(estimator, x[:1], options=options,
                                 target_opset=opset)
        asked = feeds(rng, model, x)
        for feed in asked:
            for k in feed:
                feed[k] = change(rng, feed[k])
        return model, asked
    build.__name__ = name
    pipeline(build)


def with_holes(rng, x):
    x = x.copy()
    x[rng.random(x.shape) < 0.15] = np.nan
    return x


def named(names):
    return lambda y: np.array(names.split())[y]


def trees():
    forest = ensemble.RandomForestClassifier
    numeric("digits_random_forest", lambda: forest(60, random_state=0),
            "digits")
    numeric("digits_forest_500",
            lambda: forest(500, max_depth=12, random_state=0), "digits")
    numeric("breast_gradient_boosting",
            lambda: ensemble.GradientBoostingClassifier(
                n_estimators=100, max_depth=6, random_state=0),
            "breast_cancer")
    numeric("wine_gradient_boosting_three",
            lambda: ensemble.GradientBoostingClassifier(
                n_estimators=20, random_state=0), "wine")
    numeric("diabetes_extra_trees_regressor",
            lambda: ensemble.ExtraTreesRegressor(30, max_depth=8,
                                                 random_state=0),
            "diabetes", None)
    numeric("diabetes_gradient_boosting_regressor",
            lambda: ensemble.GradientBoostingRegressor(random_state=0),
            "diabetes", None)
    numeric("diabetes_ada_boost_regressor",
            lambda: ensemble.AdaBoostRegressor(
                tree.DecisionTreeRegressor(max_depth=4, random_state=0),
                n_estimators=10, random_state=0), "diabetes", None)
    numeric("breast_hist_boosting_nan",
            lambda: ensemble.HistGradientBoostingClassifier(
                max_iter=30, random_state=0),
            "breast_cancer", change=with_holes)
    numeric("breast_isolation_forest",
            lambda: ensemble.IsolationForest(n_estimators=40,
                                             random_state=0),
            "breast_cancer", None, opset={"": 18, "ai.onnx.ml": 3})
    numeric("wine_forest_string_labels_zipmap",
            lambda: forest(20, random_state=0), "wine", None,
            named("barolo grignolino barbera"))
    numeric("iris_decision_tree_zipmap_columns",
            lambda: tree.DecisionTreeClassifier(random_state=0), "iris",
            {"zipmap": "columns"}, named("setosa versicolor virginica"))
    numeric("wine_bagging",
            lambda: ensemble.BaggingClassifier(
                tree.DecisionTreeClassifier(max_depth=3), 7, random_state=0),
            "wine")


def machines():
    scaler = preprocessing.StandardScaler
    numeric("wine_svc_rbf_prob",
            lambda: make_pipeline(scaler(), svm.SVC(probability=True,
                                                    random_state=0)), "wine")
    numeric("wine_svc_poly_string_labels",
            lambda: make_pipeline(scaler(), svm.SVC(kernel="poly", degree=2)),
            "wine", PLAIN, named("barolo grignolino barbera"))
    numeric("digits_nu_svc_sigmoid",
            lambda: make_pipeline(scaler(), svm.NuSVC(
                kernel="sigmoid", nu=0.1, gamma=0.001)), "digits")
    numeric("diabetes_linear_svr",
            lambda: make_pipeline(scaler(), svm.LinearSVR()), "diabetes",
            None)
    numeric("diabetes_svr", lambda: make_pipeline(scaler(), svm.SVR()),
            "diabetes", None)
    numeric("breast_oneclass_svm",
            lambda: make_pipeline(preprocessing.RobustScaler(),
                                  svm.OneClassSVM()), "breast_cancer", None)


def linear():
    logistic = linear_model.LogisticRegression
    scaler = preprocessing.StandardScaler
    numeric("iris_logreg_zipmap", lambda: logistic(max_iter=500), "iris", None)
    numeric("wine_one_vs_rest",
            lambda: make_pipeline(scaler(), multiclass.OneVsRestClassifier(
                logistic())), "wine")
    numeric("breast_imputer_mean_logreg",
            lambda: make_pipeline(impute.SimpleImputer(), scaler(),
                                  logistic()),
            "breast_cancer", change=with_holes)
    numeric("wine_sgd_normalizer",
            lambda: make_pipeline(preprocessing.Normalizer("l1"),
                                  linear_model.SGDClassifier(
                                      loss="log_loss", random_state=0)),
            "wine")
    numeric("diabetes_ridge_max_abs",
            lambda: make_pipeline(preprocessing.MaxAbsScaler(),
                                  linear_model.Ridge()), "diabetes", None)
    numeric("diabetes_poisson",
            lambda: make_pipeline(scaler(), linear_model.PoissonRegressor()),
            "diabetes", None)
    numeric("breast_select_k_best",
            lambda: make_pipeline(feature_selection.SelectKBest(k=7), scaler(),
                                  logistic()), "breast_cancer")
    numeric("iris_polynomial_features",
            lambda: make_pipeline(preprocessing.PolynomialFeatures(2),
                                  logistic(max_iter=3000)), "iris")
    numeric("iris_discriminant",
            discriminant_analysis.LinearDiscriminantAnalysis, "iris")
    numeric("iris_voting",
            lambda: ensemble.VotingClassifier(
                [("l", logistic(max_iter=500)),
                 ("t", tree.DecisionTreeClassifier(max_depth=3)),
                 ("b", naive_bayes.GaussianNB())], voting="soft",
                flatten_transform=False), "iris")
    numeric("breast_stacking",
            lambda: make_pipeline(scaler(), ensemble.StackingClassifier(
                [("l", logistic()), ("t", tree.DecisionTreeClassifier(
                    max_depth=3, random_state=0))], logistic(), cv=3)),
            "breast_cancer")
    numeric("iris_calibrated",
            lambda: calibration.CalibratedClassifierCV(
                naive_bayes.GaussianNB(), cv=3), "iris")


def others():
    scaler = preprocessing.StandardScaler
    numeric("iris_kmeans", lambda: cluster.KMeans(4, n_init=3,
                                                  random_state=0),
            "iris", None)
    numeric("digits_scaler_pca_mlp",
            lambda: make_pipeline(
                preprocessing.MinMaxScaler(), decomposition.PCA(20),
                neural_network.MLPClassifier((32, 16), max_iter=60,
                                             random_state=0)), "digits")
    numeric("wine_knn", lambda: neighbors.KNeighborsClassifier(5), "wine")
    numeric("diabetes_knn_distance",
            lambda: neighbors.KNeighborsRegressor(4, weights="distance"),
            "diabetes", None)
    numeric("digits_multinomial_bayes", naive_bayes.MultinomialNB, "digits",
            change=lambda _, x: np.abs(x))
    numeric("digits_bernoulli_bayes",
            lambda: make_pipeline(preprocessing.Binarizer(threshold=8),
                                  naive_bayes.BernoulliNB()), "digits")
    numeric("diabetes_gaussian_process",
            lambda: gaussian_process.GaussianProcessRegressor(
                gaussian_process.kernels.RBF(0.2), alpha=0.1), "diabetes",
            None)
    numeric("iris_bins",
            lambda: make_pipeline(
                preprocessing.KBinsDiscretizer(
                    4, encode="onehot-dense", quantile_method="linear"),
                linear_model.LogisticRegression()), "iris")
    numeric("diabetes_kernel_pca",
            lambda: make_pipeline(scaler(), decomposition.KernelPCA(
                3, kernel="rbf", gamma=0.02)), "diabetes", None)


def texts(estimator, options):
    x = np.array(SENTENCES * 2).reshape(-1, 1)
    estimator.fit(x.ravel(), ABOUT * 2)
    model = skl2onnx.convert_sklearn(
        estimator, initial_types=[("text", StringTensorType([None, 1]))],
        options=options)
    q = np.array(QUERIES).reshape(-1, 1)
    return model, [{"text": q[:1]}, {"text": q},
                   {"text": np.tile(q, (167, 1))[:1000]}]


@pipeline
def text_tfidf_logreg(_):
    words = feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2))
    last = linear_model.LogisticRegression()
    return texts(make_pipeline(words, last),
                 {id(words): {"locale": "C"}, id(last): PLAIN})


@pipeline
def text_count_bayes_zipmap(_):
    words = feature_extraction.text.CountVectorizer(stop_words=["the", "a"],
                                                    binary=True)
    return texts(make_pipeline(words, naive_bayes.MultinomialNB()),
                 {id(words): {"locale": "C"}})


COLOURS, SIZES = ["red", "green", "blue"], ["S", "M", "L", "XL"]


def goods(rng, n):
    """Colours and sizes, as strings, one in ten unknown."""
    pick = np.stack([rng.choice(COLOURS + ["??"], n, p=[.3] * 3 + [.1]),
                     rng.choice(SIZES, n)], 1)
    return pick.astype(object)


def category_pipeline(encoder, last, options=None, unknown=True):
    def build(rng):
        x = np.array([[c, s] for c in COLOURS for s in SIZES] * 4, object)
        y = np.arange(len(x)) * 7 % 5 > 2
        estimator = make_pipeline(encoder(), last()).fit(x, y.astype(int))
        model = skl2onnx.convert_sklearn(
            estimator, initial_types=[("goods", StringTensorType([None, 2]))],
            options=options and {id(estimator.steps[-1][1]): options})
        asked = [goods(rng, n) for n in ROWS]
        if not unknown:
            for q in asked:
                q[q == "??"] = "red"
        return model, [{"goods": q} for q in asked]
    return build


PIPELINES["cat_onehot_logreg_zipmap"] = category_pipeline(
    lambda: preprocessing.OneHotEncoder(handle_unknown="ignore"),
    linear_model.LogisticRegression)
PIPELINES["cat_ordinal_tree"] = category_pipeline(
    preprocessing.OrdinalEncoder,
    lambda: tree.DecisionTreeClassifier(random_state=0), PLAIN, False)


@pipeline
def label_encoder_str(_):
    encoder = preprocessing.LabelEncoder().fit(["ant", "bee", "cow", "dog"])
    model = skl2onnx.convert_sklearn(
        encoder, initial_types=[("s", StringTensorType([None]))])
    words = np.array(["dog", "ant", "zebra", "cow", "bee", "", "dog"])
    return model, [{"s": words[:1]}, {"s": words}, {"s": np.tile(words, 143)}]


@pipeline
def columns_mixed_zipmap(rng):
    """Floats with holes, whole numbers and strings as inputs of their own."""
    def table(n):
        return {"price": with_holes(rng, rng.normal(20, 6, (n, 1))),
                "stock": rng.integers(0, 9, (n, 1)),
                "colour": rng.choice(COLOURS, (n, 1)).astype(object)}
    t = table(200)
    x = np.concatenate([np.asarray(v, object) for v in t.values()], 1)
    y = np.where(t["stock"][:, 0] + (x[:, 2] == "red") > 4, "keep", "order")
    steps = compose.ColumnTransformer([
        ("p", make_pipeline(impute.SimpleImputer(strategy="median"),
                            preprocessing.StandardScaler()), [0]),
        ("s", preprocessing.StandardScaler(), [1]),
        ("c", preprocessing.OneHotEncoder(handle_unknown="ignore"), [2])])
    estimator = make_pipeline(steps, linear_model.LogisticRegression())
    estimator.fit(x, y)
    model = skl2onnx.convert_sklearn(estimator, initial_types=[
        ("price", FloatTensorType([None, 1])),
        ("stock", Int64TensorType([None, 1])),
        ("colour", StringTensorType([None, 1]))])
    asked = [table(n) for n in ROWS]
    for feed in asked:
        feed["price"] = feed["price"].astype(np.float32)
        feed["colour"][0] = "purple"
    return model, asked


@pipeline
def dict_vectorizer_logreg(_):
    """A map as input; one row a call, as the operator has it."""
    rows = [{"red": 1.0, "wide": 2.0}, {"blue": 1.0, "long": 3.5},
            {"red": 1.0, "long": 0.5}, {"blue": 1.0, "wide": 4.0}] * 5
    estimator = make_pipeline(
        feature_extraction.DictVectorizer(sparse=False),
        linear_model.LogisticRegression()).fit(rows, [0, 1, 0, 1] * 5)
    model = skl2onnx.convert_sklearn(
        estimator, options={id(estimator.steps[-1][1]): PLAIN},
        initial_types=[("row", DictionaryType(StringTensorType([1]),
                                              FloatTensorType([1])))])
    return model, [{"row": r} for r in
                   ({"red": 1.0}, {"wide": 1.5, "blue": 1.0, "tall": 9.0},
                    {"long": -2.0, "red": 0.25, "wide": 3.0})]


def plain(value):
    """Attributes as ONNX has them: older exporters hand numpy's booleans."""
    if isinstance(value, list):
        return [int(v) if isinstance(v, (bool, np.bool_, np.integer)) else v
                for v in value]
    return value


def mend_exporter():
    make = _container.make_node
    _container.make_node = lambda *a, **named: make(
        *a, **{k: plain(v) for k, v in named.items()})


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    warnings.filterwarnings("ignore")
    mend_exporter()
    for group in (trees, machines, linear, others):
        group()
    for name in sys.argv[2:] or PIPELINES:
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        model, asked = PIPELINES[name](np.random.default_rng(7))
        onnx.save(model, folder / "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        answer(folder, onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options), asked)
        print(f"{name}: {(folder / 'model.onnx').stat().st_size} bytes",
              flush=True)


if __name__ == "__main__":
    main()
