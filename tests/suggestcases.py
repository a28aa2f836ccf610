"""Untagged notebooks of the shapes that people write, for `suggest`."""

from __future__ import annotations

__all__ = ["FILES", "NOTEBOOKS"]

MARKDOWN = "markdown"

FILES = {"sales.csv": "city,month,amount\nBonn,1,10\nBonn,2,\nUlm,1,30\nUlm,2,40\nKiel,1,5\n"}
"""Files beside the notebooks."""

ANALYSIS = (
    (MARKDOWN, "# Sales of the year"),
    ("", "import matplotlib.pyplot as plt\nimport pandas as pd\n\n%matplotlib inline"),
    ("", "smallest = 6"),
    (MARKDOWN, "## Load the data"),
    ("", "df = pd.read_csv('sales.csv')\ndf.head()"),
    ("", "df.shape"),
    (MARKDOWN, "## Clean"),
    ("", "df = df.dropna()"),
    ("", "df['amount'] = df['amount'].astype(int)"),
    ("", "df.info()"),
    (MARKDOWN, "## Results"),
    ("", "by_city = df[df['amount'] > smallest].groupby('city')['amount'].sum()\nby_city"),
    ("", "by_city.describe()"),
    ("", "fig, ax = plt.subplots()\nby_city.plot.bar(ax=ax)"),
    ("", "ax.set_title('Sales')"),
    ("", "by_city.to_csv('by_city.csv')"),
)

TEACHING = (
    (MARKDOWN, "# Arrays"),
    ("", "import numpy as np"),
    *(
        cell
        for number in range(1, 13)
        for cell in (
            (MARKDOWN, f"## {('Making', 'Slicing')[number % 2]} arrays, part {number}"),
            ("", f"x{number} = np.arange({number}, 10)"),
            ("", f"x{number}"),
            ("", f"x{number}[2:5] * 2"),
            ("", f"y = x{number}[::-1]"),
            ("", f"total_{number} = y.sum() + x{number}.mean()\ntotal_{number}"),
        )
    ),
)

FUNCTIONS = (
    ("", "import numpy as np"),
    ("", "points = np.linspace(0, 1, 11)"),
    ("", "def shifted(by):\n    return points + by"),
    ("", "lower = shifted(-1)"),
    ("", "print(lower.sum())"),
    ("", "upper = shifted(1)"),
    ("", "def name(value):\n    return f'small {value}'"),
    ("", "first = name(lower[0])\nfirst"),
    ("", "def name(value):\n    return f'large {value}'"),
    ("", "last = name(upper[0])\nlast"),
)
"""Functions that read data as globals, and one that is defined twice."""

KEPT_INSIDE = (
    ("", "import sqlite3\n\nimport pandas as pd"),
    ("", "join = pd.merge"),
    ("", "connection = sqlite3.connect(':memory:')"),
    ("", "pd.DataFrame({'n': [1, 2]}).to_sql('numbers', connection, index=False)"),
    ("", "numbers = pd.read_sql('select * from numbers', connection)"),
    ("", "pairs = zip([1, 2], 'ab')"),
    ("", "names = pd.DataFrame(list(pairs), columns=['n', 'name'])"),
    ("", "both = join(numbers, names)\nboth"),
)
"""A connection and an iterator, which no block can hand on."""

SHARED = (
    ("", "import numpy as np"),
    ("", "grid = np.zeros((3, 3))"),
    ("", "corner = grid[:2, :2]"),
    ("", "corner[0, 0] = 99"),
    ("", "grid.sum()"),
    ("", "total = grid.sum() + corner.sum()\ntotal"),
)
"""One object under two names, changed through one of them."""

SETUP_LATER = (
    ("", "import datetime\n\nimport numpy as np"),
    ("", "scale = 3"),
    ("", "def scaled(values, by=scale):\n    return values * by"),
    ("", "values = np.arange(5)"),
    ("", "big = scaled(values)"),
    ("", "import math\n\nroot = math.sqrt(big[-1])\nroot"),
    ("", "assert big.max() == 12"),
    ("", "del values"),
    ("", "print(big, root)"),
)
"""A function whose default is a parameter, an import in the middle, a test."""

_DRAW = """
n = len(group1)
pool = np.hstack(data)

def draw():
    np.random.shuffle(pool)
    return pool[:n], pool[n:]
"""

HYPOTHESIS = (
    ("", "import numpy as np"),
    ("", "np.random.seed(3)"),
    (MARKDOWN, "## Data"),
    ("", "n = 8"),
    ("", "group1 = np.random.normal(5, 1, size=n)\ngroup1.mean()"),
    ("", "group2 = np.random.normal(6, 1, size=n)"),
    (MARKDOWN, "## Statistic"),
    ("", "def statistic(data):\n    a, b = data\n    return b.mean() - a.mean()"),
    ("", "data = group1, group2\nactual = statistic(data)\nactual"),
    (MARKDOWN, "## Null hypothesis"),
    ("", _DRAW),
    ("", "statistic(draw())"),
    (MARKDOWN, "## Sampling distribution"),
    ("", "def distribution(count=20):\n    return [statistic(draw()) for _ in range(count)]"),
    ("", "sample = distribution()"),
    ("", "np.mean(np.array(sample) > actual)"),
)
"""Functions that need data of blocks, and functions that call those."""

MODEL = (
    ("", "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd"),
    (MARKDOWN, "## Helpers"),
    (
        "",
        "def draw_line(a, b):\n    xs = np.arange(5)\n    plt.plot(xs, a + b * xs)\n    plt.show()",
    ),
    ("", "def fit(frame):\n    return np.polyfit(frame['month'], frame['amount'], 1)"),
    ("", "def tell(frame):\n    print(len(frame), 'rows')"),
    ("", "class Report:\n    def __init__(self, title):\n        self.title = title"),
    (MARKDOWN, "## Data"),
    ("", "sales = pd.read_csv('sales.csv')\ntell(sales)"),
    ("", "tell(sales)"),
    (MARKDOWN, "## Model"),
    ("", "known = sales.dropna()\nslope, start = fit(known)"),
    ("", "for row in known.itertuples():\n    if row.amount > 20:\n        last = row.city"),
    ("", "print(last)"),
    ("", "draw_line(start, slope)"),
    (MARKDOWN, "## Report"),
    (
        "",
        "marks = slice(0, 3)\nfig, ax = plt.subplots()\nax.plot(known['amount'].to_numpy()[marks])",
    ),
    ("", "report = Report('Sales')\nreport.rows = len(known)\nprint(report.title, report.rows)"),
    ("raises-exception", "sales['nothing']"),
)
"""Functions that draw and print; names that are set under a condition; a cell meant to fail."""

NOTEBOOKS = {
    "analysis": ANALYSIS,
    "functions": FUNCTIONS,
    "hypothesis": HYPOTHESIS,
    "kept_inside": KEPT_INSIDE,
    "model": MODEL,
    "setup_later": SETUP_LATER,
    "shared": SHARED,
    "teaching": TEACHING,
}
"""Name -> its cells, as `tests.notebooks.notebook` takes them."""
