import { padTo, textWidth } from "./text_width.ts";

/** A node of the picture. */
export interface PictureNode {
  readonly name: string;
  /** One column: how it is. */
  readonly sign: string;
  /** Colours its sign and name. */
  readonly paint: (text: string) => string;
}

/** What surrounds the nodes. */
export interface PictureOptions {
  /** Characters a line. */
  readonly columns: number;
  /** Lines in the middle; no control characters. */
  readonly center: readonly string[];
  /** Colours the ring itself and the first line in its middle. */
  readonly paintRing: (text: string) => string;
  readonly paintTitle: (text: string) => string;
}

/** The least columns that a node needs in a row, besides its name. */
const slotColumns = 8;

/** The most columns of a node in a row: a small ring need not fill a wide window. */
const slotColumnsMax = 20;

/** How many nodes are on each side of the ring, clockwise from the upper left. */
interface Sides {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/**
 * Draws a ring: its nodes clockwise from the upper left, in the order of the ring. What does not fit
 * in the rows above and below stands at the sides.
 *
 * @returns The lines, none wider than `columns` as long as that is 40 at least.
 */
export function ringPicture(
  nodes: readonly PictureNode[],
  options: PictureOptions,
): string[] {
  const { center, paintRing } = options;
  const nameColumns = Math.max(...nodes.map(({ name }) => textWidth(name)));
  const sides = arrange(nodes.length, nameColumns, options.columns);
  const margin = sides.right === 0 ? 0 : nameColumns + 1;
  const room = options.columns - 2 - 2 * margin;
  const slot = Math.min(slotColumnsMax, Math.floor(room / Math.max(1, sides.top)));
  const centerColumns = Math.max(...center.map(textWidth)) + 4;
  const inner = Math.min(room, Math.max(slot * sides.top, centerColumns));
  const height = Math.max(sides.right, sides.left, center.length + 2);
  const from = (start: number, count: number) => nodes.slice(start, start + count);
  const [afterTop, afterRight] = [sides.top, sides.top + sides.right];
  const right = placed(from(afterTop, sides.right), height);
  const left = placed(from(afterRight + sides.bottom, sides.left), height).reverse();
  const indent = " ".repeat(margin);
  const row = (nodes: readonly PictureNode[], way: "right" | "left", corners: string) =>
    indent + paintRing(corners.slice(0, 1)) + edge(nodes, { way, inner, paintRing }) +
    paintRing(corners.slice(1));
  const lines = [row(from(0, sides.top), "right", "╭╮")];
  for (let index = 0; index < height; index++) {
    const [leftNode, rightNode] = [left[index], right[index]];
    lines.push(
      (leftNode === undefined
        ? indent + paintRing("│")
        : padTo("", nameColumns - textWidth(leftNode.name)) +
          leftNode.paint(`${leftNode.name} ${leftNode.sign}`)) +
        centerLine(index, { height, inner, options }) +
        (rightNode === undefined
          ? paintRing("│")
          : rightNode.paint(`${rightNode.sign} ${rightNode.name}`)),
    );
  }
  return [...lines, row(from(afterRight, sides.bottom).reverse(), "left", "╰╯")];
}

/** As many above and below as fit there, the others at the sides. */
function arrange(count: number, nameColumns: number, columns: number): Sides {
  const perRow = Math.max(1, Math.floor((columns - 2) / (nameColumns + slotColumns)));
  if (count <= 2 * perRow) {
    const top = Math.ceil(count / 2);
    return { top, right: 0, bottom: count - top, left: 0 };
  }
  const room = columns - 2 - 2 * (nameColumns + 1);
  const narrow = Math.max(1, Math.floor(room / (nameColumns + slotColumns)));
  const rest = count - 2 * narrow;
  const right = Math.ceil(rest / 2);
  return { top: narrow, right, bottom: narrow, left: rest - right };
}

/** Spreads nodes evenly over the lines of a side. */
function placed(
  nodes: readonly PictureNode[],
  height: number,
): (PictureNode | undefined)[] {
  const lines = new Array<PictureNode | undefined>(height).fill(undefined);
  for (const [index, node] of nodes.entries()) {
    lines[Math.floor((index + 0.5) * height / nodes.length)] = node;
  }
  return lines;
}

/** How an upper or lower edge is drawn. */
interface Edge {
  /** Where the next node is. */
  readonly way: "right" | "left";
  /** Columns between the corners. */
  readonly inner: number;
  readonly paintRing: (text: string) => string;
}

function edge(nodes: readonly PictureNode[], { way, inner, paintRing }: Edge): string {
  let text = "";
  let used = 0;
  for (const [index, node] of nodes.entries()) {
    const end = Math.round((index + 1) * inner / nodes.length);
    const item = `${node.sign} ${node.name}`;
    const line = end - used - textWidth(item) - 5;
    const before = Math.max(0, Math.floor(line / 2));
    const after = Math.max(0, line - before);
    text += way === "right"
      ? paintRing("─".repeat(before + 1) + "▸ ") + node.paint(item) +
        paintRing(" " + "─".repeat(after + 1))
      : paintRing("─".repeat(before + 1) + " ") + node.paint(item) +
        paintRing(" ◂" + "─".repeat(after + 1));
    used = end;
  }
  return text + paintRing("─".repeat(Math.max(0, inner - used)));
}

/** The place of the middle's lines. */
interface Middle {
  readonly height: number;
  readonly inner: number;
  readonly options: PictureOptions;
}

function centerLine(index: number, { height, inner, options }: Middle): string {
  const first = Math.floor((height - options.center.length) / 2);
  const text = options.center[index - first] ?? "";
  const before = Math.max(0, Math.floor((inner - textWidth(text)) / 2));
  const after = Math.max(0, inner - before - textWidth(text));
  const shown = index === first ? options.paintTitle(text) : text;
  return " ".repeat(before) + shown + " ".repeat(after);
}
