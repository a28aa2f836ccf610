// Style sheets travel as text: without comments and spare space they are smaller.
module.exports = {
  module: {
    rules: [{ test: /\.css$/, enforce: 'pre', use: [require.resolve('./cssLoader.cjs')] }]
  }
};
