// JupyterLab's packages are ES modules: they are translated as well.
const modules = ['@jupyterlab', '@jupyter', '@lumino', 'lib0', 'y-protocols', '@microsoft', 'exenv-es6', 'nanoid', 'vscode-ws-jsonrpc', 'lezer-.*', '@codemirror', '@lezer', '@rjsf', 'yjs', 'marked', 'color', 'uuid'];

module.exports = {
  rootDir: __dirname,
  testEnvironment: 'jsdom',
  testMatch: ['<rootDir>/tests/**/*.test.ts', '<rootDir>/tests/**/*.test.tsx'],
  setupFiles: ['<rootDir>/tests/setup.cjs'],
  transform: {
    '\\.tsx?$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.test.json' }],
    '\\.m?js$': ['ts-jest', { tsconfig: { allowJs: true, module: 'commonjs', target: 'ES2022', isolatedModules: true } }]
  },
  moduleNameMapper: { '\\.(css|less)$': '<rootDir>/tests/empty.cjs', '\\.svg$': '<rootDir>/tests/empty.cjs' },
  transformIgnorePatterns: [`/node_modules/(?!(${modules.join('|')})/)`]
};
