/**
 * A small form that opens below what was clicked, and goes when one is done with it.
 */
import { Widget } from '@lumino/widgets';

const GAP_PX = 4;
const EDGE_PX = 8;

/** A node, or a place in something that is drawn. */
export type IAnchor = Pick<Element, 'getBoundingClientRect'>;

/** Open `body` below (or, where there is no room, above) a node; the widget is disposed at the end. */
export function openPopover(body: Widget, anchor: IAnchor): void {
  const before = document.activeElement as HTMLElement | null;
  const onPointer = (event: Event): void => {
    if (!body.node.contains(event.target as Node)) {
      body.dispose();
    }
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      body.dispose();
    }
  };
  const sizes = new ResizeObserver(() => setPlace(body.node, anchor));
  body.addClass('jp-Blocks-floating');
  body.disposed.connect(() => {
    document.removeEventListener('pointerdown', onPointer, true);
    sizes.disconnect();
    before?.focus({ preventScroll: true });
  });
  body.node.addEventListener('keydown', onKey);
  Widget.attach(body, document.body);
  setPlace(body.node, anchor);
  sizes.observe(body.node);
  document.addEventListener('pointerdown', onPointer, true);
}

function setPlace(node: HTMLElement, anchor: IAnchor): void {
  const place = anchor.getBoundingClientRect();
  const { offsetHeight: height, offsetWidth: width } = node;
  const below = place.bottom + GAP_PX;
  const isRoomBelow = below + height + EDGE_PX <= window.innerHeight;
  const top = isRoomBelow ? below : Math.max(EDGE_PX, place.top - GAP_PX - height);
  const left = Math.max(EDGE_PX, Math.min(place.left, window.innerWidth - width - EDGE_PX));
  node.style.top = `${top}px`;
  node.style.left = `${left}px`;
}
