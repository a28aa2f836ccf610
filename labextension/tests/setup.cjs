// What JupyterLab's packages expect of a browser and jsdom does not have.
const { TextDecoder, TextEncoder } = require('util');

Object.assign(globalThis, { TextDecoder, TextEncoder, fetch: globalThis.fetch ?? (() => Promise.reject(new Error('no network'))) });
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
globalThis.DragEvent ??= class extends Event {};
globalThis.CSS ??= { escape: text => text.replace(/[^\w-]/g, found => `\\${found}`) };
// Nothing is drawn.
globalThis.HTMLCanvasElement.prototype.getContext = () => null;
