// The little of react-dom that tests call.
declare module 'react-dom/client' {
  export function createRoot(node: Element): { render(element: unknown): void; unmount(): void };
}
