import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

SCRIPT = """
import sys
import tasks.summarizing.batch_work
import pyarrow as pa

column = pa.array(["text", None])
print("pandas" in sys.modules)
print(pa.table({"column": column}).to_pandas()["column"].tolist()[0])
"""


def test_a_process_that_makes_rows_has_no_pandas_until_somebody_asks_for_a_data_frame():
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.split()
    assert output == ["False", "text"]
