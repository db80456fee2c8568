(function () {
  "use strict";
  var section = document.getElementById("hedge");
  var data = JSON.parse(document.getElementById("hedge-data").textContent), form = section.querySelector("form");
  function field(name) { return form.elements[name]; }
  var boxes = Array.prototype.slice.call(form.querySelectorAll("input[type=checkbox]"));
  function amount(value) {
    if (value === null || isNaN(value)) { return "-"; }
    if (!isFinite(value)) { return "no limit"; }
    var size = Math.abs(value), units = [[1e12, "tn"], [1e9, "bn"], [1e6, "m"], [1e3, "k"]];
    for (var i = 0; i < units.length; i++) {
      if (Number(size.toPrecision(3)) >= units[i][0]) {
        return (value < 0 ? "-" : "") + "$" + (size / units[i][0]).toPrecision(3) + units[i][1];
      }
    }
    return (value < 0 ? "-" : "") + "$" + Number(size.toPrecision(3));
  }
  function percent(value, digits) { return isNaN(value) ? "-" : (100 * value).toFixed(digits) + "%"; }
  function read() {
    var chosen = [];
    boxes.forEach(function (box, i) { if (box.checked) { chosen.push(i); } });
    var at = Number(field("horizon").value);
    return { kind: field("kind").value, cap: Number(field("cap").value) / 100, budget: Number(field("budget").value),
      horizon: at, units: data.horizons[at].units, chosen: chosen };
  }
  function put(name, value, text) {
    var output = section.querySelector("[data-figure=" + name + "]");
    output.setAttribute("data-value", value);
    output.textContent = text;
  }
  function show() {
    var state = read(), valid = state.budget > 0 && state.cap >= 0 && state.cap <= 1;
    var found = valid ? riskmodelHedge.solve(data, state)
      : { weights: null, said: "Expected a budget above 0 and a cap from 0 to 100%." };
    var known = found.weights !== null;
    var nothing = { share: NaN, volatility: NaN, capital: NaN, cash: NaN, pnl: NaN, adjusted: NaN };
    var f = known ? found : nothing;
    field("cap").disabled = field("slide").disabled = state.kind !== "capped";
    put("share", f.share, percent(f.share, 1));
    put("volatility", f.volatility, percent(f.volatility, 2));
    put("capital", f.capital, amount(f.capital));
    put("pnl", f.pnl, amount(f.pnl));
    put("adjusted", f.adjusted, amount(f.adjusted));
    put("cash", f.cash, isNaN(f.cash) ? "-" : f.cash.toFixed(3));
    section.querySelector("[data-figure=per]").textContent = data.horizons[state.horizon].name;
    section.querySelector(".said").textContent = found.said;
    boxes.forEach(function (box, i) {
      var at = state.chosen.indexOf(i), weight = known && at >= 0 ? found.weights[at] : NaN;
      var row = box.closest("tr");
      row.setAttribute("data-weight", weight);
      row.cells[1].textContent = isNaN(weight) ? "-" : weight.toFixed(3);
      row.cells[2].textContent = isNaN(weight) ? "-" : weight ? amount(weight * f.capital) : "$0";
    });
    section.setAttribute("data-ready", "yes");
    return state;
  }
  // what is chosen is in the address, so that it can be sent with the page
  function remember(state) {
    var words = ["kind=" + state.kind, "cap=" + field("cap").value, "budget=" + state.budget,
      "horizon=" + state.horizon, "instruments=" + state.chosen.join(".")];
    try { history.replaceState(null, "", "#hedge&" + words.join("&")); } catch (error) { /* some viewers forbid it */ }
  }
  function restore() {
    if (location.hash.indexOf("#hedge&") !== 0) { return; }
    location.hash.slice(7).split("&").forEach(function (word) {
      var parts = word.split("="), name = parts[0], value = decodeURIComponent(parts[1] || "");
      if (name === "instruments") {
        var chosen = value.split(".");
        boxes.forEach(function (box, i) { box.checked = chosen.indexOf(String(i)) >= 0; });
      } else if (field(name)) { field(name).value = value; }
    });
    field("slide").value = field("cap").value;
  }
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("input", function (event) {
    if (event.target === field("slide")) { field("cap").value = field("slide").value; }
    if (event.target === field("cap")) { field("slide").value = field("cap").value; }
    remember(show());
  });
  section.querySelector("[data-all]").addEventListener("click", function () {
    var all = boxes.every(function (box) { return box.checked; });
    boxes.forEach(function (box) { box.checked = !all; });
    remember(show());
  });
  section.hidden = false;
  restore();
  show();
})();
