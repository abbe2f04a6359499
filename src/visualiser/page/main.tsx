/** Starts the page. */
import { render } from "preact";
import { App } from "./app.tsx";
import "uplot/dist/uPlot.min.css";
import "./page.css";
import "./panels.css";
import "./charts.css";

const root = document.getElementById("page");
if (root === null) throw new Error("broken invariant: the document has its root");
render(<App />, root);
