(function () {
  "use strict";
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var print = window.matchMedia("print");
  var touch = window.matchMedia("(pointer: coarse)").matches;
  var plots = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  function colours(plot) {
    var isDark = dark.matches && !print.matches;
    var text = isDark ? "#c4cad3" : "#414853";
    var grid = isDark ? "rgba(255,255,255,0.10)" : "rgba(0,0,0,0.09)";
    var zero = isDark ? "rgba(255,255,255,0.32)" : "rgba(0,0,0,0.30)";
    var change = { "font.color": text, "hoverlabel.bgcolor": isDark ? "#252b34" : "#ffffff",
      "hoverlabel.font.color": text };
    Object.keys(plot.layout).filter(function (key) { return /^[xy]axis[0-9]*$/.test(key); }).forEach(function (axis) {
      change[axis + ".gridcolor"] = grid;
      change[axis + ".zerolinecolor"] = zero;
    });
    return change;
  }
  function paint() { plots.forEach(function (plot) { window.Plotly.relayout(plot, colours(plot)); }); }
  plots.forEach(function (plot) {
    var figure = JSON.parse(plot.querySelector("script").textContent);
    plot.textContent = "";
    if (touch) { figure.layout.dragmode = false; }
    window.Plotly.newPlot(plot, figure.data, figure.layout, { responsive: true, displaylogo: false,
      displayModeBar: false })
      .then(function () { return window.Plotly.relayout(plot, colours(plot)); });
  });
  [dark, print].forEach(function (query) { query.addEventListener("change", paint); });
})();
