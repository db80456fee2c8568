(function () {
  "use strict";
  // where the pointer is over a figure of points or lines, say the nearest point of each
  var SIDE = 10000;
  function axis(chart, name) {
    var parts = chart.getAttribute("data-" + name).split(" ");
    return { low: parseFloat(parts[0]), high: parseFloat(parts[1]), kind: parts[2] };
  }
  function day(days) { return new Date(Math.floor(days) * 864e5).toISOString().slice(0, 10); }
  function written(value, kind) {
    if (kind === "date") { return day(value); }
    if (kind === "percent") { return (100 * value).toFixed(2) + "%"; }
    if (kind === "dollars") { return "$" + Math.round(value).toLocaleString("en-US"); }
    return String(Number(value.toPrecision(4)));
  }
  function points(path) {
    var found = [], pattern = /(-?\d+) (-?\d+)/g, text = path.getAttribute("d"), match;
    while ((match = pattern.exec(text))) { found.push([Number(match[1]), Number(match[2])]); }
    var apart = path.getAttribute("data-days"), total = 0;
    if (apart !== null) {
      apart.split(" ").forEach(function (days, i) { total += Number(days); if (found[i]) { found[i].push(total); } });
    }
    return found;
  }
  function nearest(all, x, y, across, up) {
    var best = null, least = Infinity;
    all.forEach(function (p) {
      var dx = (p[0] - x) * across, dy = (p[1] - y) * up, far = dx * dx + dy * dy;
      if (far < least) { least = far; best = p; }
    });
    return best;
  }
  Array.prototype.forEach.call(document.querySelectorAll(".plot"), function (plot) {
    var chart = plot.querySelector(".chart"), square = plot.querySelector(".square");
    var paths = square ? square.querySelectorAll(".points, .line") : [];
    if (!paths.length) { return; }
    var x = axis(chart, "x"), y = axis(chart, "y"), read = null;
    var label = document.createElement("div");
    label.className = "readout";
    label.hidden = true;
    plot.appendChild(label);
    function value(scale, at) { return scale.low + (scale.high - scale.low) * at / SIDE; }
    chart.addEventListener("pointermove", function (event) {
      read = read || Array.prototype.map.call(paths, function (path) {
        return { name: path.getAttribute("data-name"), cloud: path.hasAttribute("data-days"), all: points(path) };
      });
      var box = chart.getBoundingClientRect(), room = getComputedStyle(chart), inner = {
        left: box.left + parseFloat(room.paddingLeft), top: box.top + parseFloat(room.paddingTop),
        width: box.width - parseFloat(room.paddingLeft) - parseFloat(room.paddingRight),
        height: box.height - parseFloat(room.paddingTop) - parseFloat(room.paddingBottom) };
      var atX = SIDE * (event.clientX - inner.left) / inner.width, atY = SIDE * (event.clientY - inner.top) / inner.height;
      var dated = x.kind === "date", lines = [];
      if (atX < 0 || atX > SIDE || atY < 0 || atY > SIDE) { label.hidden = true; return; }
      read.forEach(function (mark) {
        if (!dated && !mark.cloud) { return; }
        var p = nearest(mark.all, atX, atY, inner.width, dated ? 0 : inner.height);
        if (!p) { return; }
        if (dated && !lines.length) { lines.push(day(value(x, p[0]))); }
        lines.push(mark.name + ": " + (dated ? "" : day(p[2]) + ": " + written(value(x, p[0]), x.kind) + ", ") +
          written(value(y, SIDE - p[1]), y.kind));
      });
      label.textContent = lines.join("\n");
      label.hidden = !lines.length;
      var left = event.clientX - plot.getBoundingClientRect().left;
      label.style.left = Math.max(0, Math.min(left + 12, plot.clientWidth - label.offsetWidth)) + "px";
      label.style.top = (event.clientY - plot.getBoundingClientRect().top + 14) + "px";
    });
    chart.addEventListener("pointerleave", function () { label.hidden = true; });
  });
})();
