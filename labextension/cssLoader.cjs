const { readFileSync } = require('fs');
const { resolve } = require('path');

const IMPORT = /@import url\('([^']+)'\);\s*/g;

/** A style sheet with those it imports, without comments and spare space. */
module.exports = function (source) {
  const whole = source.replace(IMPORT, (_, name) => {
    const path = resolve(this.context, name);
    this.addDependency(path);
    return readFileSync(path, 'utf8');
  });
  return whole
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>]) ?/g, '$1')
    .replace(/: /g, ':')
    .replace(/;}/g, '}')
    .trim();
};
