// The arithmetic of the hedge on the page, as the library does it: see RiskRows, reaching, smallest_within.
var riskmodelHedge = (function () {
  "use strict";
  var RANK = 1e-12, FLAT = 1e-13, AT_TARGET = 1e-10, DEPENDENT = 1e-10, RISKLESS = 1e-10;
  function dot(a, b) { var sum = 0; for (var i = 0; i < a.length; i++) { sum += a[i] * b[i]; } return sum; }
  function times(rows, h) { return rows.map(function (row) { return dot(row, h); }); }
  function plus(a, b) { return a.map(function (v, i) { return v + b[i]; }); }
  function squares(a) { return dot(a, a); }
  function columns(rows, chosen) { return rows.map(function (row) { return chosen.map(function (j) { return row[j]; }); }); }
  function transposed(rows, width) {
    var all = [];
    for (var j = 0; j < width; j++) { all.push(rows.map(function (row) { return row[j]; })); }
    return all;
  }
  function largest(a) { return a.reduce(function (most, v) { return Math.max(most, Math.abs(v)); }, 0); }

  // singular values by one-sided Jacobi rotations (Hestenes 1958): the columns of `rows` become U diag(s)
  function singular(rows, width) {
    var u = transposed(rows, width), v = [];
    for (var j = 0; j < width; j++) { v.push(u.map(function (_, i) { return i === j ? 1 : 0; })); }
    for (var sweep = 0, turned = true; turned && sweep < 60; sweep++) {
      turned = false;
      for (var p = 0; p < width; p++) {
        for (var q = p + 1; q < width; q++) {
          var a = squares(u[p]), b = squares(u[q]), c = dot(u[p], u[q]);
          if (Math.abs(c) <= 1e-16 * Math.sqrt(a * b) || c === 0) { continue; }
          turned = true;
          var zeta = (b - a) / (2 * c), t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
          var cos = 1 / Math.sqrt(1 + t * t), sin = cos * t;
          rotate(u, p, q, cos, sin);
          rotate(v, p, q, cos, sin);
        }
      }
    }
    return { u: u, v: v, s: u.map(function (column) { return Math.sqrt(squares(column)); }) };
  }
  function rotate(all, p, q, cos, sin) {
    for (var i = 0; i < all[p].length; i++) {
      var first = all[p][i], second = all[q][i];
      all[p][i] = cos * first - sin * second;
      all[q][i] = sin * first + cos * second;
    }
  }
  // the shortest h that brings |rows h - b| to its least
  function leastSquares(rows, b, width) {
    var found = singular(rows, width), most = largest(found.s), h = new Array(width).fill(0);
    found.s.forEach(function (s, j) {
      if (s <= RANK * most) { return; }
      var along = dot(found.u[j], b) / (s * s);
      for (var i = 0; i < width; i++) { h[i] += along * found.v[j][i]; }
    });
    return h;
  }
  // eigenvalues of a symmetric matrix, ascending, by Jacobi rotations
  function eigen(matrix) {
    var n = matrix.length, a = matrix.map(function (row) { return row.slice(); }), v = [];
    for (var k = 0; k < n; k++) { v.push(a.map(function (_, i) { return i === k ? 1 : 0; })); }
    for (var sweep = 0, turned = true; turned && sweep < 60; sweep++) {
      turned = false;
      for (var p = 0; p < n; p++) {
        for (var q = p + 1; q < n; q++) {
          if (Math.abs(a[p][q]) <= 1e-17 * Math.sqrt(Math.abs(a[p][p] * a[q][q])) || Math.abs(a[p][q]) < 1e-300) { continue; }
          turned = true;
          var zeta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
          var t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
          var cos = 1 / Math.sqrt(1 + t * t), sin = cos * t;
          rotate(a, p, q, cos, sin);
          a.forEach(function (row) { var x = row[p], y = row[q]; row[p] = cos * x - sin * y; row[q] = sin * x + cos * y; });
          a[p][q] = a[q][p] = 0;
          rotate(v, p, q, cos, sin);
        }
      }
    }
    var order = a.map(function (_, i) { return i; }).sort(function (i, j) { return a[i][i] - a[j][j]; });
    return { values: order.map(function (i) { return a[i][i]; }), vectors: order.map(function (i) { return v[i]; }) };
  }

  function neutral(d) {
    var found = reaching(d);
    if (found.exact) { return { h: found.h, said: "" }; }
    var h = leastFactorRisk(d);
    return { h: h, said: "These instruments cannot bring every exposure to zero; this hedge leaves the least factor risk." };
  }
  // the smallest hedge with the least exposures, and whether they are zero
  function reaching(d) {
    var missing = d.exposuresOwn.map(function (b) { return -b; });
    var sizes = d.exposures.map(function (row, k) { return Math.max(largest(row), Math.abs(missing[k])) || 1; });
    var scaled = d.exposures.map(function (row, k) { return row.map(function (x) { return x / sizes[k]; }); });
    var h = leastSquares(scaled, missing.map(function (m, k) { return m / sizes[k]; }), d.width);
    var exact = d.exposures.every(function (row, k) {
      var size = Math.abs(d.exposuresOwn[k]);
      row.forEach(function (x, j) { size += Math.abs(x * h[j]); });
      return Math.abs(dot(row, h) + d.exposuresOwn[k]) <= AT_TARGET * size;
    });
    return { h: h, exact: exact };
  }
  function leastFactorRisk(d) {
    return leastSquares(d.factor, d.factorOwn.map(function (g) { return -g; }), d.width);
  }
  function outOfReach(d) {
    var least = parts(d, leastFactorRisk(d));
    return { h: null, said: "These instruments cannot reach this cap: the least factor share is about " +
      (100 * least.factor / (least.factor + least.idio)).toPrecision(3) + "%." };
  }
  function minimumVariance(d) {
    var rows = d.factor.concat(d.idio), own = d.factorOwn.concat(d.idioOwn);
    var sizes = transposed(rows, d.width).map(function (column) { return Math.sqrt(squares(column)); });
    var s = singular(rows, d.width).s;
    if (Math.min.apply(null, s) <= DEPENDENT * largest(sizes)) {
      return { h: null, said: "One of these instruments is riskless or a combination of the others; leave it out." };
    }
    return { h: leastSquares(rows, own.map(function (v) { return -v; }), d.width), said: "" };
  }
  function capped(d, share) {
    var none = new Array(d.width).fill(0), before = parts(d, none);
    if (share >= 1 || before.factor <= share * (before.factor + before.idio)) { return { h: none, said: "" }; }
    if (share === 0) {
      var nothing = reaching(d);
      return nothing.exact ? { h: nothing.h, said: "" } : outOfReach(d);
    }
    var i, j, curvature = [], slope = [], g = transposed(d.factor, d.width), a = transposed(d.idio, d.width);
    for (i = 0; i < d.width; i++) {
      curvature.push([]);
      for (j = 0; j < d.width; j++) { curvature[i].push((1 - share) * dot(g[i], g[j]) - share * dot(a[i], a[j])); }
      slope.push((1 - share) * dot(g[i], d.factorOwn) - share * dot(a[i], d.idioOwn));
    }
    var turn = eigen(curvature), mu = turn.values, p = times(turn.vectors, slope), size = largest(mu);
    var longest = largest(g.map(function (column) { return Math.sqrt(squares(column)); }));
    var rounding = FLAT * (1 - share) * longest * Math.sqrt(squares(d.factorOwn));
    mu = mu.map(function (m) { return Math.abs(m) <= FLAT * size ? 0 : m; });
    p = p.map(function (v) { return Math.abs(v) <= rounding ? 0 : v; });
    var y = leastNorm(mu, p, (1 - share) * before.factor - share * before.idio);
    if (!y) { return outOfReach(d); }
    var h = none.slice();
    turn.vectors.forEach(function (vector, k) { for (var l = 0; l < d.width; l++) { h[l] += vector[l] * y[k]; } });
    return { h: h, said: "" };
  }
  // the shortest y with the sum of mu y^2 + 2 p y, plus r, at most 0
  function leastNorm(mu, p, r) {
    var lowest = Math.min(0, Math.min.apply(null, mu)), steepness = Math.max(-lowest, 0), scale = largest(mu);
    var gap = mu.map(function (m) { return steepness ? (m === lowest ? 0 : m + steepness) : m; });
    function at(log) {
      var u = Math.exp(log);
      return p.map(function (v, i) { return -u * v / (1 + gap[i] * u); });
    }
    function rest(y) { return y.reduce(function (sum, v, i) { return sum + mu[i] * v * v + 2 * p[i] * v; }, r); }
    if (!scale) {
      var length = squares(p);
      return length ? p.map(function (v) { return -0.5 * r / length * v; }) : null;
    }
    var low = -Math.log(scale) - 40, high = -Math.log(scale) + 40;
    if (rest(at(high)) <= 0) {
      for (var step = 0; step < 200 && high > low; step++) {
        var middle = low + (high - low) / 2;
        if (middle === low || middle === high) { break; }
        if (rest(at(middle)) > 0) { low = middle; } else { high = middle; }
      }
      return at(high);
    }
    if (!steepness) { return null; }
    var y = at(high), first = mu.indexOf(lowest);
    mu.forEach(function (m, i) { if (m === lowest) { y[i] = 0; } });
    y[first] = Math.sqrt(Math.max(rest(y), 0) / steepness);
    return y;
  }
  function parts(d, h) {
    return {
      factor: squares(plus(times(d.factor, h), d.factorOwn)),
      idio: squares(plus(times(d.idio, h), d.idioOwn)) + d.constant
    };
  }
  function restricted(data, chosen) {
    return { width: chosen.length, factor: columns(data.factor, chosen), factorOwn: data.factor_own,
      idio: columns(data.idio, chosen), idioOwn: data.idio_own, constant: data.constant,
      exposures: columns(data.exposures, chosen), exposuresOwn: data.exposures_own };
  }
  // state: kind, cap (a share), budget (dollars), units (of the model's horizon in the budget's), chosen (positions)
  function solve(data, state) {
    var d = restricted(data, state.chosen), found = { h: new Array(d.width).fill(0), said: "" };
    if (d.width && state.kind === "neutral") { found = neutral(d); }
    if (d.width && state.kind === "minimum") { found = minimumVariance(d); }
    if (d.width && state.kind === "capped") { found = capped(d, state.cap); }
    if (!found.h) { return { weights: null, said: found.said }; }
    var h = found.h, split = parts(d, h), variance = split.factor + split.idio, size = data.size_own;
    var mean = data.mean_own, alpha = data.alpha_own, cost = data.cost_own;
    state.chosen.forEach(function (j, i) {
      mean += data.mean[j] * h[i]; alpha += data.alpha[j] * h[i]; cost += data.cost[j] * h[i];
      size += data.size[j] * Math.abs(h[i]);
    });
    var volatility = Math.sqrt(variance), riskless = volatility <= RISKLESS * size;
    var capital = riskless ? Infinity : state.budget / (volatility * Math.sqrt(state.units));
    return { weights: h, said: found.said, share: riskless ? NaN : split.factor / variance,
      volatility: volatility * Math.sqrt(state.units), capital: capital, cash: -cost,
      pnl: mean * state.units * capital, adjusted: alpha * state.units * capital };
  }
  return { solve: solve };
})();
