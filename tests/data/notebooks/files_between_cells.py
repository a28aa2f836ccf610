# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
import csv
import json
import pickle
from pathlib import Path
import pandas as pd

# %%
folder = Path("made")
folder.mkdir(exist_ok=True)

# %%
rows = [{"city": "Bonn", "n": 3}, {"city": "Ulm", "n": 5}, {"city": "Kiel", "n": 2}]
with open("made/cities.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, fieldnames=["city", "n"])
    writer.writeheader()
    writer.writerows(rows)

# %%
settings = {"unit": "km", "limits": [1, 4]}
(folder / "settings.json").write_text(json.dumps(settings, indent=1))

# %%
with open("made/cities.csv") as file:
    read = [row["city"] for row in csv.DictReader(file)]
read

# %%
frame = pd.read_csv(folder / "cities.csv")
low, high = json.loads((folder / "settings.json").read_text())["limits"]
frame = frame[frame["n"].between(low, high)]
frame

# %%
frame.to_json("made/frame.json", orient="records")

# %%
again = pd.read_json("made/frame.json")
again.equals(frame.reset_index(drop=True))

# %%
with open("made/state.pkl", "wb") as file:
    pickle.dump({"rows": rows, "low": low}, file)

# %%
with open("made/state.pkl", "rb") as file:
    state = pickle.load(file)
state["low"]

# %%
with open("made/log.txt", "w") as log:
    for row in state["rows"]:
        print(row["city"], row["n"], sep="\t", file=log)

# %%
lines = Path("made/log.txt").read_text().splitlines()
counts = {city: int(n) for city, n in (line.split("\t") for line in lines)}
counts

# %%
sorted(path.name for path in folder.iterdir())
