(function () {
  "use strict";
  // the number that a cell begins with; amounts may end in k, m, bn or tn
  function number(text) {
    var found = /^-?[0-9][0-9,]*(\.[0-9]+)?(k|m|bn|tn)?/.exec(text);
    if (!found) { return null; }
    var unit = { k: 1e3, m: 1e6, bn: 1e9, tn: 1e12 }[found[2]] || 1;
    return parseFloat(found[0].replace(/,/g, "")) * unit;
  }
  function compare(first, second) {
    var a = number(first), b = number(second);
    if (a !== null && b !== null) { return a - b; }
    if (a === null && b === null) { return first.localeCompare(second); }
    return a === null ? 1 : -1;
  }
  function sort(table, column, header) {
    var down = header.getAttribute("aria-sort") === "ascending";
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    rows.sort(function (a, b) {
      var order = compare(a.cells[column].textContent, b.cells[column].textContent);
      return down ? -order : order;
    });
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) { cell.removeAttribute("aria-sort"); });
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.forEach(function (row) { body.appendChild(row); });
  }
  // a table with more to its right says so
  var boxes = Array.prototype.slice.call(document.querySelectorAll(".table .scroll"));
  function over() {
    boxes.forEach(function (box) {
      box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
    });
  }
  boxes.forEach(function (box) { box.addEventListener("scroll", over); });
  window.addEventListener("resize", over);
  over();
  Array.prototype.forEach.call(document.querySelectorAll("table.sortable"), function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (header, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      header.textContent = "";
      header.appendChild(button);
      button.addEventListener("click", function () { sort(table, column, header); });
    });
    var filter = table.closest(".table").querySelector(".filter");
    filter.addEventListener("input", function () {
      var wanted = filter.value.trim().toLowerCase();
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0;
      });
    });
  });
})();
