const { rspack } = require('@rspack/core');

// The plugin is for browsers of today, and every byte of it is sent to each of them.
module.exports = {
  module: {
    // Style sheets travel as text: without comments and spare space they are smaller.
    rules: [{ test: /\.css$/, enforce: 'pre', use: [require.resolve('./cssLoader.cjs')] }]
  },
  optimization: {
    minimizer: [
      new rspack.SwcJsMinimizerRspackPlugin({
        minimizerOptions: {
          ecma: 2022,
          compress: { passes: 4, ecma: 2022, unsafe_arrows: true, unsafe_methods: true, keep_fargs: false }
        }
      })
    ]
  }
};
