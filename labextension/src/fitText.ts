/**
 * Text that has to fit into a drawing, which does not wrap.
 */

const known = new Map<string, string>();
let context: CanvasRenderingContext2D | null | undefined;

/** `text`, or as much of its beginning as is `width` pixels wide, with an ellipsis. */
export function fitted(text: string, width: number, font: string): string {
  const key = `${font}|${width}|${text}`;
  let found = known.get(key);
  if (found === undefined) {
    found = fit(text, width, font);
    if (known.size > 5000) {
      known.clear();
    }
    known.set(key, found);
  }
  return found;
}

function fit(text: string, width: number, font: string): string {
  if (context === undefined) {
    context = document.createElement('canvas').getContext('2d');
  }
  if (!context) {
    return text;
  }
  context.font = font + getComputedStyle(document.body).getPropertyValue('--jp-ui-font-family');
  let length = text.length;
  while (length > 1 && context.measureText(shortened(text, length)).width > width) {
    length--;
  }
  return shortened(text, length);
}

function shortened(text: string, length: number): string {
  return length >= text.length ? text : `${text.slice(0, length)}…`;
}
