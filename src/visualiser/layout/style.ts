/** Purpose: the colours of a statechart that stands alone; the page has its own for the same classes. */
export const STYLE = `
svg { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
.frame { fill: #fbfcfd; stroke: #dde2ea; }
.title { fill: #1d2430; font-size: 15px; font-weight: 650; }
.state rect { fill: #ffffff; stroke: #b9c2cf; stroke-width: 1.2; }
.state text { fill: #1d2430; font-size: 13px; font-weight: 550; }
.group > rect { fill: #f2f5f9; stroke: #d3dae4; }
.group > text { fill: #5c6675; font-size: 12px; }
.line { fill: none; stroke: #8b96a7; stroke-width: 1.2; }
.tip, .start { fill: #8b96a7; }
.hop { fill: #4a5466; font-size: 11px; paint-order: stroke; stroke: #fbfcfd; stroke-width: 3px; }
@media (prefers-color-scheme: dark) {
  .frame { fill: #12161d; stroke: #29313d; }
  .title, .state text { fill: #e8ecf2; }
  .state rect { fill: #1c222c; stroke: #465163; }
  .group > rect { fill: #161b23; stroke: #2c3542; }
  .group > text { fill: #9aa5b5; }
  .line { stroke: #6d7a8d; }
  .tip, .start { fill: #6d7a8d; }
  .hop { fill: #a9b4c4; stroke: #12161d; }
}
`;
