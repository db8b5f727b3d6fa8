/** One line of a panel: a query, and how its series are named. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** How values are written (Grafana's names of units). */
type Unit = "short" | "s" | "bytes" | "reqps" | "cps" | "d";

/** A panel as we think of it. */
export interface Panel {
  readonly title: string;
  readonly says: string;
  readonly kind: "timeseries" | "stat" | "table" | "state-timeline";
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Shows the traces behind the values. */
  readonly hasExemplars?: boolean;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** Grafana's grid is 24 wide: three panels of eight beside each other. */
const GRID = { width: 8, height: 8, columns: 3 };

/** Grafana's panels of the rows, with their places, from the top down. */
export function panelsOf(rows: readonly Row[]): readonly object[] {
  const panels: object[] = [];
  let [id, y] = [1, 0];
  for (const row of rows) {
    const gridPos = { x: 0, y, w: 24, h: 1 };
    panels.push({ id, type: "row", title: row.title, collapsed: false, gridPos, panels: [] });
    id += 1;
    y += 1;
    for (const [index, panel] of row.panels.entries()) {
      const place = { column: index % GRID.columns, y: y + lineOf(index) * GRID.height };
      panels.push(panelAt(panel, id, place));
      id += 1;
    }
    y += (lineOf(row.panels.length - 1) + 1) * GRID.height;
  }
  return panels;
}

function lineOf(index: number): number {
  return Math.floor(index / GRID.columns);
}

/** Severities as the agent counts them, in the colours of every other alert. */
const SEVERITIES = {
  type: "value",
  options: {
    0: { text: "none", color: "green", index: 0 },
    1: { text: "info", color: "blue", index: 1 },
    2: { text: "warning", color: "orange", index: 2 },
    3: { text: "critical", color: "red", index: 3 },
  },
};

function panelAt(
  { title, says, kind, unit, queries, hasExemplars = false }: Panel,
  id: number,
  { column, y }: { readonly column: number; readonly y: number },
): object {
  const isInstant = kind === "table" || kind === "stat";
  const isSeverity = kind === "table" || kind === "state-timeline";
  return {
    id,
    title,
    description: says,
    type: kind,
    datasource: DATASOURCE,
    gridPos: { x: column * GRID.width, y, w: GRID.width, h: GRID.height },
    fieldConfig: {
      defaults: { unit, min: 0, mappings: isSeverity ? [SEVERITIES] : [] },
      overrides: [],
    },
    options: {},
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      instant: isInstant,
      range: !isInstant,
      exemplar: hasExemplars,
      ...(kind === "table" ? { format: "table" } : {}),
    })),
  };
}
