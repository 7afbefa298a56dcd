// Asks Microsoft's parser about queries: stdin {"tables": {name: schema}, "queries": {name: text}},
// stdout {name: {"faults": [...], "columns": [...]}}.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = path.join(__dirname, "node_modules", "@kusto", "language-service-next");
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, file), "utf8"), { filename: file });
}

const { tables, queries } = JSON.parse(fs.readFileSync(0, "utf8"));
const { Symbols, KustoCode, GlobalState } = Kusto.Language;
const known = Object.entries(tables).map(([name, schema]) =>
  Symbols.TableSymbol.From(schema).WithName(name)
);
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol("workspace", known));

function listed(list, each) {
  const made = [];
  for (let n = 0; list && n < list.Count; n++) made.push(each(list.getItem(n)));
  return made;
}

const answers = {};
for (const [name, text] of Object.entries(queries)) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  answers[name] = {
    faults: listed(code.GetDiagnostics(), (found) => `${found.Message} (at ${found.Start})`),
    columns: listed(code.ResultType && code.ResultType.Columns, (column) => column.Name),
  };
}
console.log(JSON.stringify(answers));
