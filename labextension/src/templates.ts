/**
 * Cells to begin with: how data comes in, goes out and is waited for.
 */
export interface ITemplate {
  /** Tag of the type: `loader`, `exporter`, `sensor`. */
  type: 'loader' | 'transformer' | 'exporter' | 'sensor';
  /** Name of the block, changed where it is taken. */
  name: string;
  title: string;
  source: string;
}

export const TEMPLATES: readonly ITemplate[] = [
  {
    type: 'loader',
    name: 'load_csv',
    title: 'CSV file',
    source: 'import pandas as pd\n\ndata = pd.read_csv("data.csv")'
  },
  {
    type: 'loader',
    name: 'load_parquet',
    title: 'Parquet file or folder',
    source: 'import pandas as pd\n\ndata = pd.read_parquet("data.parquet")'
  },
  {
    type: 'loader',
    name: 'load_sql',
    title: 'SQL query (SQLAlchemy)',
    source: [
      'import os',
      '',
      'import pandas as pd',
      'import sqlalchemy',
      '',
      'engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"])',
      'with engine.connect() as connection:',
      '    data = pd.read_sql(sqlalchemy.text("SELECT * FROM orders"), connection)'
    ].join('\n')
  },
  {
    type: 'loader',
    name: 'load_sqlite',
    title: 'SQLite query',
    source: [
      'import sqlite3',
      'from contextlib import closing',
      '',
      'import pandas as pd',
      '',
      'with closing(sqlite3.connect("data.db")) as connection:',
      '    data = pd.read_sql("SELECT * FROM orders", connection)'
    ].join('\n')
  },
  {
    type: 'loader',
    name: 'load_s3',
    title: 'Object in S3 or Google Cloud Storage',
    source: 'import pandas as pd\n\ndata = pd.read_parquet("s3://bucket/path/data.parquet")'
  },
  {
    type: 'loader',
    name: 'load_http',
    title: 'JSON over HTTP',
    source: [
      'import json',
      'from urllib.request import urlopen',
      '',
      'import pandas as pd',
      '',
      'with urlopen("https://example.org/api/items", timeout=60) as response:',
      '    data = pd.json_normalize(json.load(response))'
    ].join('\n')
  },
  {
    type: 'transformer',
    name: 'clean',
    title: 'Clean a table, with a test on the result',
    source: 'clean = data.dropna().drop_duplicates()\nassert len(clean) > 0, "no rows are left"'
  },
  {
    type: 'exporter',
    name: 'write_csv',
    title: 'CSV file',
    source: 'data.to_csv("out.csv", index=False)'
  },
  {
    type: 'exporter',
    name: 'write_parquet',
    title: 'Parquet file',
    source: 'data.to_parquet("out.parquet", index=False)'
  },
  {
    type: 'exporter',
    name: 'write_sql',
    title: 'SQL table (SQLAlchemy)',
    source: [
      'import os',
      '',
      'import sqlalchemy',
      '',
      'engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"])',
      'with engine.begin() as connection:',
      '    data.to_sql("orders", connection, if_exists="replace", index=False)'
    ].join('\n')
  },
  {
    type: 'exporter',
    name: 'write_s3',
    title: 'Object in S3 or Google Cloud Storage',
    source: 'data.to_parquet("s3://bucket/path/out.parquet", index=False)'
  },
  {
    type: 'exporter',
    name: 'save_figure',
    title: 'Figure',
    source: [
      'from matplotlib.figure import Figure',
      '',
      'figure = Figure(figsize=(7, 4), layout="constrained")',
      'data.plot(ax=figure.subplots())',
      'figure.savefig("figure.png", dpi=150)'
    ].join('\n')
  },
  {
    type: 'sensor',
    name: 'wait_for_file',
    title: 'File is there',
    source: [
      'from pathlib import Path',
      '',
      'from jupyter_blocks import sensor',
      '',
      '@sensor',
      'def wait_for_file(*args, **kwargs) -> bool:',
      '    return Path("data.csv").exists()'
    ].join('\n')
  },
  {
    type: 'sensor',
    name: 'wait_for_url',
    title: 'Address answers',
    source: [
      'from urllib.error import URLError',
      'from urllib.request import urlopen',
      '',
      'from jupyter_blocks import sensor',
      '',
      '@sensor',
      'def wait_for_url(*args, **kwargs) -> bool:',
      '    try:',
      '        with urlopen("https://example.org/ready", timeout=10):',
      '            return True',
      '    except URLError:',
      '        return False'
    ].join('\n')
  }
];

/** A name that none of `taken` has: `load_csv`, `load_csv_2`. */
export function freeName(name: string, taken: readonly string[]): string {
  let free = name;
  for (let number = 2; taken.includes(free); number++) {
    free = `${name}_${number}`;
  }
  return free;
}

/** Templates whose type, title or source has every word of a text in it. */
export function matching(text: string): readonly ITemplate[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return TEMPLATES.filter(({ type, title, name, source }) => {
    const all = `${type} ${title} ${name} ${source}`.toLowerCase();
    return words.every(word => all.includes(word));
  });
}
