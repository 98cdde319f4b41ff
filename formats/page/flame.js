/*
 * The page of sonde flame: no library, no network.
 *
 * #meta is JSON: strings, boxes (a name, a module and a kind, three numbers each), events,
 * tasks, CPUs, the account. #data is base64 of varints:
 *
 *	nodes:  for each but the root: its number minus its parent's, its box
 *	rows:   for each: node minus the last row's (zigzag), event, task, CPU, file, bucket of
 *	        time, samples, period
 *
 * A node is the place of a frame in the tree of all stacks, callers first; a row is how
 * often a stack ended there. Every view is made anew from the rows that are chosen. Of a
 * comparison file 0 is what was before and file 1 what came after.
 */
(function () {
'use strict';
var el = function (id) { return document.getElementById(id); };
var meta = JSON.parse(el('meta').textContent);
var frames = meta.boxes, NF = frames.length / 3, ROW = 18, MIN = 0.4;

/* --- data ---------------------------------------------------------------------------- */

var bytes = (function () {
	var text = atob(el('data').textContent.trim()), out = new Uint8Array(text.length);
	for (var i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
	return out;
}());
var at = 0;
function number() {
	var n = 0, scale = 1, b;
	do { b = bytes[at++]; n += (b & 127) * scale; scale *= 128; } while (b & 128);
	return n;
}
function signed() { var n = number(); return n % 2 ? -(n + 1) / 2 : n / 2; }
var N = meta.nr_nodes, R = meta.nr_rows;
var parent = new Int32Array(N), frame = new Int32Array(N);
frame[0] = -1; parent[0] = -1;
for (var i = 1; i < N; i++) { parent[i] = i - number(); frame[i] = number(); }
var rNode = new Int32Array(R), rEvent = new Int32Array(R), rTask = new Int32Array(R),
	rTime = new Int32Array(R), rCpu = new Int32Array(R), rFile = new Uint8Array(R), rSamples = new Float64Array(R), rPeriod = new Float64Array(R);
for (var r = 0, last = 0; r < R; r++) {
	last += signed();
	rNode[r] = last; rEvent[r] = number(); rTask[r] = number(); rCpu[r] = number(); rFile[r] = number(); rTime[r] = number();
	rSamples[r] = number(); rPeriod[r] = number();
}
bytes = null;
/* Order of the names, so that trees need not compare them. */
var rank = new Int32Array(NF);
(function () {
	var order = Array.from({ length: NF }, function (x, i) { return i; });
	order.sort(function (a, b) { var x = name(a), y = name(b); return x < y ? -1 : x > y ? 1 : a - b; });
	order.forEach(function (f, i) { rank[f] = i; });
}());
function name(f) { return f < 0 ? 'all' : meta.strings[frames[3 * f]]; }
function moduleOf(f) { return f < 0 ? '' : meta.strings[frames[3 * f + 1]]; }
function kind(f) { return f < 0 ? 'c' : 'cukij?'.charAt(frames[3 * f + 2]); }

/* --- what is chosen ------------------------------------------------------------------ */

var isDiff = !!meta.files;
var state = { event: meta.event, task: -1, process: -1, cpu: -1, from: 0, to: meta.nr_buckets, period: meta.period,
	view: meta.view, focus: -1, colors: isDiff ? 'change' : meta.colors, over: -1, side: 1, heat: false,
	pattern: null, sort: 'self' };
var processes = [], taskProcess = meta.tasks.map(function (t) {
	var m = / (-?\d+)\/-?\d+$/.exec(t), pid = m ? m[1] : t, i = processes.indexOf(pid);
	return i < 0 ? processes.push(pid) - 1 : i;
});
var self, total, sum, tree, current;
/* Sums beside the weight: of a comparison the samples before and after; of a ratio the other event's. */
var extras = [];

function weight(r) { return state.period ? rPeriod[r] : rSamples[r]; }
function chosen(r, event, anyTime) {
	return rEvent[r] === event && (state.task < 0 || rTask[r] === state.task) &&
		(state.process < 0 || taskProcess[rTask[r]] === state.process) && (state.cpu < 0 || rCpu[r] === state.cpu) &&
		(anyTime || (rTime[r] >= state.from && rTime[r] < state.to));
}
function newSum() { return { self: new Float64Array(N), total: new Float64Array(N) }; }

function count() {
	var all = newSum(), r, i;
	extras = isDiff ? [newSum(), newSum()] : state.over >= 0 ? [newSum()] : [];
	for (r = 0; r < R; r++) {
		if (chosen(r, state.event)) {
			if (!isDiff || rFile[r] === state.side) all.self[rNode[r]] += weight(r);
			if (isDiff) extras[rFile[r]].self[rNode[r]] += rSamples[r];
		}
		if (!isDiff && state.over >= 0 && chosen(r, state.over)) extras[0].self[rNode[r]] += weight(r);
	}
	extras.concat(all).forEach(function (s) {
		for (i = N - 1; i > 0; i--) {
			s.total[i] += s.self[i];
			s.total[parent[i]] += s.total[i];
		}
		s.total[0] += s.self[0];
	});
	self = all.self; total = all.total; sum = total[0];
}
function hasSelf(i) { return self[i] || extras.some(function (e) { return e.self[i]; }); }
function hasTotal(i) { return total[i] || extras.some(function (e) { return e.total[i]; }); }

/* --- trees to draw: arrays by node, parents before children ---------------------------- */

function Tree() { this.parent = []; this.frame = []; this.total = []; this.sums = extras.map(function () { return []; }); this.index = new Map(); }
Tree.prototype.push = function (p, f) {
	this.parent.push(p); this.frame.push(f); this.total.push(0);
	for (var i = 0; i < this.sums.length; i++) this.sums[i].push(0);
};
/* What ends at a node of all stacks, or passes through it, belongs to the tree's n. */
Tree.prototype.add = function (n, i, ends) {
	this.total[n] += ends ? self[i] : total[i];
	for (var k = 0; k < extras.length; k++) this.sums[k][n] += ends ? extras[k].self[i] : extras[k].total[i];
};
Tree.prototype.child = function (p, f) {
	var key = p * (NF + 1) + f, n = this.index.get(key);
	if (n === undefined) {
		n = this.parent.length;
		this.index.set(key, n);
		this.push(p, f);
	}
	return n;
};
function rooted(f) {
	var t = new Tree();
	t.push(-1, f);
	return t;
}

/* The page's own tree has each path once: no need to look for equal ones. */
function forward() {
	var t = rooted(-1), to = new Int32Array(N);
	t.add(0, 0, false);
	for (var i = 1; i < N; i++) {
		if (!hasTotal(i)) continue;
		to[i] = t.parent.length;
		t.push(to[parent[i]], frame[i]);
		t.add(to[i], i, false);
	}
	return t;
}

/*
 * Every stack from its leaf on, level by level: callers of what is a 20,000th of all or less
 * are not laid out.
 */
function inverted() {
	var t = rooted(-1), at = [], ptr = [], leaf = [], least = sum / 20000, i, k, n;
	for (i = 1; i < N; i++) {
		if (!hasSelf(i)) continue;
		t.add(0, i, true);
		at.push(0); ptr.push(i); leaf.push(i);
	}
	t.add(0, 0, true);
	while (at.length) {
		for (i = 0; i < at.length; i++) {
			at[i] = t.child(at[i], frame[ptr[i]]);
			t.add(at[i], leaf[i], true);
		}
		for (i = k = 0; i < at.length; i++) {
			n = parent[ptr[i]];
			if (n <= 0 || (t.total[at[i]] <= least && !isDiff)) continue;
			at[k] = at[i]; ptr[k] = n; leaf[k++] = leaf[i];
		}
		at.length = ptr.length = leaf.length = k;
	}
	return t;
}

/* Below (callees) and above (callers) of a function, from where a stack has it first. */
function around(f) {
	var down = rooted(f), up = rooted(f), to = new Int32Array(N).fill(-1);
	for (var i = 1; i < N; i++) {
		var p = to[parent[i]];
		if (p >= 0) {
			to[i] = hasTotal(i) ? down.child(p, frame[i]) : -1;
			if (to[i] >= 0) down.add(to[i], i, false);
		} else if (frame[i] === f && hasTotal(i)) {
			to[i] = 0;
			down.add(0, i, false);
			up.add(0, i, false);
			for (var n = parent[i], at = 0; n > 0; n = parent[n]) {
				at = up.child(at, frame[n]);
				up.add(at, i, false);
			}
		}
	}
	return { up: up, down: down };
}

/* Places of the boxes: x from 0 to 1, rows from 0; equal names in the order of their bytes. */
function lay(t) {
	var n = t.parent.length, first = new Int32Array(n + 1), next, list = new Int32Array(n), i, p, x, k;
	t.x = new Float64Array(n); t.w = new Float64Array(n); t.depth = new Int32Array(n); t.deepest = 0;
	for (i = 1; i < n; i++) first[t.parent[i] + 1]++;
	for (i = 0; i < n; i++) first[i + 1] += first[i];
	next = first.slice();
	for (i = 1; i < n; i++) list[next[t.parent[i]]++] = i;
	t.kids = function (p) { return list.subarray(first[p], first[p + 1]); };
	function byName(a, b) { return rank[t.frame[a]] - rank[t.frame[b]]; }
	t.w[0] = 1;
	/* parents come before their children */
	for (p = 0; p < n; p++) {
		if (first[p] === first[p + 1]) continue;
		if (first[p + 1] - first[p] > 1) t.kids(p).sort(byName);
		for (i = first[p], x = t.x[p]; i < first[p + 1]; i++) {
			k = list[i];
			t.x[k] = x; t.w[k] = t.total[0] ? t.total[k] / t.total[0] : 0; t.depth[k] = t.depth[p] + 1;
			if (t.depth[k] > t.deepest) t.deepest = t.depth[k];
			x += t.w[k];
		}
	}
	return t;
}

/* --- comparing ------------------------------------------------------------------------ */

/*
 * Of a box with a of A samples before and b of B after: the change of its share in points
 * of 1, and z, the change over its standard error if both were drawn from one program
 * (pooled two-proportion test). As many boxes are looked at, Holm's step-down procedure
 * over those with ten samples or more says which |z| is more than chance: that any box at
 * all is called real wrongly has a chance below 5 %.
 */
function change(a, b, t) {
	var A = extras[0].total[0], B = extras[1].total[0], p = A + B ? (a + b) / (A + B) : 0,
		error = A && B ? Math.sqrt(p * (1 - p) * (1 / A + 1 / B)) : 0, d = (B ? b / B : 0) - (A ? a / A : 0);
	var z = error ? d / error : 0;
	return { before: A ? a / A : 0, after: B ? b / B : 0, delta: d, z: z, real: Math.abs(z) >= t };
}
/* Two-sided p of z: erfc(|z| / sqrt 2), by Chebyshev fitting (Numerical Recipes, 2nd ed., 6.2). */
function chance(z) {
	var x = Math.abs(z) / Math.SQRT2, t = 1 / (1 + 0.5 * x), c = [0.17087277, -0.82215223, 1.48851587, -1.13520398,
		0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368], sum = 0;
	c.forEach(function (k) { sum = sum * t + k; });
	return t * Math.exp(-x * x - 1.26551223 + t * sum);
}
/* The least |z| that is real. */
function threshold(a, b) {
	var all = [], i, least = Infinity;
	for (i = 0; i < a.length; i++) if (a[i] + b[i] >= 10) all.push(Math.abs(change(a[i], b[i], 0).z));
	all.sort(function (x, y) { return y - x; });
	for (i = 0; i < all.length && chance(all[i]) <= 0.05 / (all.length - i); i++) least = all[i];
	return least;
}
function compare(t) {
	if (!isDiff) return;
	t.threshold = threshold(t.sums[0], t.sums[1]);
	t.most = 0;
	for (var n = 0; n < t.parent.length; n++) {
		var c = change(t.sums[0][n], t.sums[1][n], t.threshold);
		if (c.real) t.most = Math.max(t.most, Math.abs(c.delta));
	}
}
function points(d) { return (d < 0 ? '\u2212' : '+') + Math.abs(100 * d).toFixed(2); }
function changeText(c) { return points(c.delta) + ' points, z ' + c.z.toFixed(1) + (c.real ? '' : ', noise'); }
/* How often this event for each of the other: over that of everything. */
function ratio(t, n) {
	return t.sums[0][n] ? t.total[n] / t.sums[0][n] : 0;
}

/* --- colours --------------------------------------------------------------------------- */

function hash(s) {
	var h = 2166136261;
	for (var i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 16777619);
	return (h >>> 0) / 4294967296;
}
var dark = false, colorOf = [];
function isDark() {
	var c = document.documentElement.classList;
	return c.contains('dark') || (!c.contains('light') && matchMedia('(prefers-color-scheme: dark)').matches);
}
var hues = { u: 30, k: 215, i: 170, j: 110, '?': 0, c: 45 };
function colorOfBox(t, n) {
	var c, part, f = t.frame[n];
	if (isDiff && state.colors === 'change') {
		c = change(t.sums[0][n], t.sums[1][n], t.threshold);
		part = c.real && t.most ? Math.abs(c.delta) / t.most : 0;
		return c.real ? 'hsl(' + (c.delta > 0 ? 4 : 212) + ',' + (45 + 40 * part).toFixed(0) + '%,' +
			(dark ? 28 + 18 * part : 82 - 26 * part).toFixed(0) + '%)' : dark ? '#44464a' : '#dedbd3';
	}
	if (!isDiff && state.over >= 0) {
		c = t.total[0] && t.sums[0][0] && t.total[n] && t.sums[0][n] ? Math.log2(ratio(t, n) / ratio(t, 0)) / 3 :
			t.total[n] ? 1 : -1;
		part = Math.min(Math.abs(c), 1);
		return 'hsl(' + (c > 0 ? 4 : 212) + ',' + (80 * part).toFixed(0) + '%,' + (dark ? 30 + 10 * part : 86 - 26 * part).toFixed(0) + '%)';
	}
	return colorOf[f] || (colorOf[f] = color(f, share(f)));
}
function color(f, share) {
	var h, s = 70, l;
	if (state.colors === 'module') h = 360 * hash(moduleOf(f));
	else if (state.colors === 'package') h = 360 * hash(name(f).split(/[:.(<]/)[0]);
	else if (state.colors === 'self') { h = 10; s = 15 + 80 * share; }
	else { h = hues[kind(f)] + 24 * (hash(name(f)) - 0.5); s = kind(f) === '?' ? 0 : kind(f) === 'k' ? 40 : 70; }
	l = (dark ? 34 : 70) + 8 * (hash(name(f) + '.') - 0.5);
	return 'hsl(' + h.toFixed(0) + ',' + s.toFixed(0) + '%,' + l.toFixed(0) + '%)';
}

/* --- drawing ----------------------------------------------------------------------------- */

var canvas = el('picture'), ctx = canvas.getContext('2d'), panes = [], boxes = [], selfShare = null;
function text(n) { return Math.round(n).toLocaleString('en-US'); }
function amount(n) {
	var e = meta.events[state.event];
	if (!state.period || e.unit !== 'nanoseconds') return text(n) + (state.period ? ' ' + e.unit : n === 1 ? ' sample' : ' samples');
	return n >= 1e9 ? (n / 1e9).toFixed(2) + ' s' : n >= 1e6 ? (n / 1e6).toFixed(2) + ' ms' : (n / 1e3).toFixed(1) + ' us';
}
function percent(n) { return sum ? (100 * n / sum).toFixed(2) + '%' : '0.00%'; }

/* A pane is a tree with a direction: roots at the foot, or at the head. */
function showPanes() {
	panes = tree.map(function (t) { compare(t.tree); return { tree: lay(t.tree), up: t.up, zoom: 0 }; });
	current = null;
	draw();
}

/*
 * The boxes of a pane that are wide enough to be seen, and how deep they go: what is too
 * thin takes no room. Of the way to what is zoomed to each box takes the whole width.
 */
function visible(p, width) {
	var t = p.tree, x0 = t.x[p.zoom], w0 = t.w[p.zoom] || 1, path = {}, todo = [0], list = [], n;
	p.deepest = 0;
	for (n = p.zoom; n >= 0; n = t.parent[n]) path[n] = true;
	while (todo.length) {
		n = todo.pop();
		var inPath = path[n] && n !== p.zoom, x = inPath ? 0 : (t.x[n] - x0) / w0 * width,
			w = inPath ? width : t.w[n] / w0 * width;
		if (w < MIN || x >= width || x + w <= 0) continue;
		list.push({ pane: p, node: n, x: x, w: w, faded: inPath });
		p.deepest = Math.max(p.deepest, t.depth[n]);
		t.kids(n).forEach(function (k) { if (!inPath || path[k]) todo.push(k); });
	}
	return list;
}

function draw() {
	var ratio = window.devicePixelRatio || 1, width = canvas.clientWidth || 1000, rows = 0, was = canvas.clientHeight, style, hit;
	boxes = [];
	panes.forEach(function (p) {
		visible(p, width).forEach(function (b) {
			b.y = (rows + (p.up ? p.deepest - p.tree.depth[b.node] : p.tree.depth[b.node])) * ROW;
			boxes.push(b);
		});
		rows += p.deepest + 1;
	});
	canvas.height = Math.max(1, rows) * ROW * ratio;
	canvas.width = width * ratio;
	canvas.style.height = Math.max(1, rows) * ROW + 'px';
	/* a flame's foot stays where it is */
	if (panes.length === 1 && panes[0].up) window.scrollBy(0, Math.max(1, rows) * ROW - was);
	ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
	ctx.font = '12px system-ui, sans-serif';
	ctx.textBaseline = 'middle';
	dark = isDark();
	colorOf = [];
	style = getComputedStyle(document.documentElement);
	hit = style.getPropertyValue('--hit').trim();
	boxes.forEach(function (b) { box(b, hit); });
	if (!sum) { ctx.fillStyle = style.getPropertyValue('--soft'); ctx.fillText('no samples here', 4, ROW / 2); }
}

function box(b, hit) {
	var p = b.pane, n = b.node, x = b.x, y = b.y, w = b.w, f = p.tree.frame[n], label;
	ctx.globalAlpha = b.faded ? 0.55 : 1;
	ctx.fillStyle = state.pattern && f >= 0 && matches(f) ? hit : f < 0 ? (dark ? '#555' : '#cfcabf') : colorOfBox(p.tree, n);
	ctx.fillRect(x, y, Math.max(w - 0.6, 0.3), ROW - 1);
	if (current && current.pane === p && current.node === n) {
		ctx.strokeStyle = dark ? '#fff' : '#000';
		ctx.strokeRect(x + 0.5, y + 0.5, Math.max(w - 1.6, 1), ROW - 2);
	}
	if (w > 24) {
		ctx.fillStyle = dark ? '#fff' : '#111';
		label = cut(f, w - 6);
		if (label) ctx.fillText(label, x + 3, y + ROW / 2);
	}
	ctx.globalAlpha = 1;
}
/* Each name is measured once; what fits of it is reckoned from that. */
var widths = new Float64Array(NF + 1);
function cut(f, room) {
	var label = name(f), width = widths[f + 1], all;
	if (label.length > 400) label = label.slice(0, 400);
	if (!width) width = widths[f + 1] = ctx.measureText(label).width || 1;
	if (width <= room && label.length < 400) return label;
	all = Math.floor(label.length * room / width) - 2;
	/* not within a pair of surrogates, nor between a letter and what goes over it */
	while (all > 1 && /[\udc00-\udfff\u0300-\u036f\u200d\ufe0f]/.test(label.charAt(all))) all--;
	return all < 2 ? '' : label.slice(0, all) + '..';
}
function share(f) {
	if (state.colors !== 'self') return 0;
	if (!selfShare) {
		var most = 0;
		selfShare = new Float64Array(NF);
		for (var i = 1; i < N; i++) selfShare[frame[i]] += self[i];
		for (i = 0; i < NF; i++) most = Math.max(most, selfShare[i]);
		for (i = 0; i < NF && most; i++) selfShare[i] /= most;
	}
	return selfShare[f];
}

/* --- searching --------------------------------------------------------------------------- */

var hits = null;
function matches(f) {
	if (!hits) hits = new Int8Array(NF);
	if (!hits[f]) hits[f] = state.pattern.test(name(f)) ? 1 : -1;
	return hits[f] > 0;
}
function matched() {
	var n = 0, in_ = new Uint8Array(N);
	for (var i = 1; i < N; i++) {
		in_[i] = in_[parent[i]] || (matches(frame[i]) ? 1 : 0);
		if (in_[i]) n += self[i];
	}
	return n;
}
function setPattern(pattern) {
	var box = el('search');
	hits = null;
	state.pattern = null;
	box.classList.remove('bad');
	if (pattern) {
		try { state.pattern = new RegExp(pattern); } catch (e) { box.classList.add('bad'); }
	}
	el('matched').textContent = state.pattern ? 'matched ' + percent(matched()) : '';
}
function search(pattern) {
	setPattern(pattern);
	if (state.view === 'table') showTable(); else draw();
}

/* --- the table ----------------------------------------------------------------------------- */

function functions() {
	var s = new Float64Array(NF), t = new Float64Array(NF), last = new Int32Array(NF).fill(-1), list = [], limit,
		sums = extras.map(function () { return new Float64Array(NF); });
	/* a stack counts once for a function, however often it is in it */
	for (var i = 1; i < N; i++) {
		if (hasSelf(i)) {
			s[frame[i]] += self[i];
			for (var n = i; n > 0; n = parent[n]) {
				if (last[frame[n]] === i) continue;
				last[frame[n]] = i;
				t[frame[n]] += self[i];
				for (var k = 0; k < extras.length; k++) sums[k][frame[n]] += extras[k].self[i];
			}
		}
	}
	limit = isDiff ? threshold(sums[0], sums[1]) : 0;
	for (i = 0; i < NF; i++) {
		if ((!t[i] && !(isDiff && sums[0][i])) || kind(i) === 'c' || (state.pattern && !matches(i))) continue;
		list.push({ f: i, self: s[i], total: t[i], change: isDiff ? change(sums[0][i], sums[1][i], limit) : null });
	}
	var by = { name: function (a, b) { return name(a.f) < name(b.f) ? -1 : 1; },
		change: function (a, b) { return b.change.real - a.change.real || Math.abs(b.change.delta) - Math.abs(a.change.delta); } };
	list.sort(by[state.sort] || function (a, b) { return b[state.sort] - a[state.sort] || b.total - a.total || (name(a.f) < name(b.f) ? -1 : 1); });
	return list;
}
function showTable() {
	var body = el('rows');
	body.textContent = '';
	functions().slice(0, 1000).forEach(function (x) {
		var tr = document.createElement('tr');
		[percent(x.self), percent(x.total), x.change ? changeText(x.change) : null, name(x.f), moduleOf(x.f)].forEach(function (v, i) {
			if (v === null) return;
			var td = document.createElement('td');
			td.textContent = v;
			if (i < 3) td.className = 'n'; else td.title = v;
			tr.appendChild(td);
		});
		tr.tabIndex = 0;
		tr.onclick = function () { focus(x.f); };
		tr.onkeydown = function (e) { if (e.key === 'Enter') { e.stopPropagation(); focus(x.f); } };
		body.appendChild(tr);
	});
}

/* --- time ------------------------------------------------------------------------------------ */

/*
 * A bar for each bucket; or, of more than a second, a heat map: a column for each second,
 * in which time runs upwards, so that what happens each second stands in rows.
 */
var strip = el('strip'), drag = null, PER = Math.round(1e9 / (meta.bucket_ns || 1e9)), SECONDS = Math.ceil(meta.nr_buckets / PER);
function drawStrip() {
	var c = strip.getContext('2d'), ratio = window.devicePixelRatio || 1, w, h,
		n = meta.nr_buckets, bars = new Float64Array(n), most = 0, dark = isDark(), i, part, join = 1;
	strip.style.height = state.heat ? '150px' : '48px';
	w = strip.clientWidth; h = strip.clientHeight;
	strip.width = w * ratio; strip.height = h * ratio;
	c.setTransform(ratio, 0, 0, ratio, 0, 0);
	/* bars too thin to be seen are drawn as one */
	if (!state.heat) join = Math.max(1, Math.ceil(4 * n / w));
	for (var r = 0; r < R; r++) if (chosen(r, state.event, true)) bars[rTime[r] - rTime[r] % join] += weight(r);
	for (i = 0; i < n; i++) most = Math.max(most, bars[i]);
	for (i = 0; i < n; i += join) {
		var on = i + join > state.from && i < state.to;
		part = most ? bars[i] / most : 0;
		if (state.heat) {
			c.fillStyle = 'hsl(' + (on ? 18 : 0) + ',' + (on ? 85 : 0) + '%,' + (dark ? 12 + 50 * part : 97 - 52 * part).toFixed(1) + '%)';
			c.fillRect(Math.floor(i / PER) / SECONDS * w, h - (i % PER + 1) / PER * h, w / SECONDS - 0.5, h / PER - (PER < 40 ? 0.5 : 0));
		} else {
			c.fillStyle = on ? (dark ? '#c77f3a' : '#d9822b') : (dark ? '#555' : '#ccc');
			c.fillRect(i / n * w, h - part * (h - 4), Math.max(join * w / n - 0.5, 0.5), part * (h - 4));
		}
	}
	var all = state.from === 0 && state.to === n, seconds = function (b) { return (b * meta.bucket_ns / 1e9).toFixed(3); };
	el('span').textContent = all ? 'all of ' + seconds(n) + ' s; drag to choose a part' :
		seconds(state.from) + ' s to ' + seconds(state.to) + ' s, ' + amount(sum) + '; Escape for all';
}
function bucket(e) {
	var r = strip.getBoundingClientRect(), x = Math.max(0, Math.min(0.999999, (e.clientX - r.left) / r.width)),
		y = Math.max(0, Math.min(0.999999, 1 - (e.clientY - r.top) / r.height));
	return state.heat ? Math.floor(x * SECONDS) * PER + Math.floor(y * PER) : x * meta.nr_buckets;
}
function span(from, to) { state.from = from; state.to = to; update(); }
strip.addEventListener('pointerdown', function (e) {
	drag = bucket(e);
	try { strip.setPointerCapture(e.pointerId); } catch (x) { /* a pointer that is gone */ }
});
strip.addEventListener('pointerup', function (e) {
	var a = drag, b = bucket(e), n = meta.nr_buckets;
	drag = null;
	if (a === null) return;
	if (state.heat ? a === b : Math.abs(a - b) < n / 1000) span(0, n);
	else span(Math.floor(Math.min(a, b)), Math.min(n, state.heat ? Math.max(a, b) + 1 : Math.max(Math.ceil(Math.max(a, b)), Math.floor(Math.min(a, b)) + 1)));
});

/* --- all together -------------------------------------------------------------------------------- */

function update() {
	count();
	selfShare = null;
	setPattern(el('search').value);
	el('table').hidden = state.view !== 'table';
	canvas.hidden = state.view === 'table';
	['flame', 'icicle', 'inverted', 'table'].forEach(function (v) { el('to-' + v).classList.toggle('on', state.view === v); });
	el('around').hidden = state.view !== 'around';
	if (state.view === 'around') el('around').textContent = 'around ' + name(state.focus).slice(0, 60);
	if (meta.nr_buckets > 1) drawStrip();
	if (state.view === 'table') {
		panes = [];
		current = null;
		showTable();
	} else {
		var a = state.view === 'around' && around(state.focus);
		tree = a ? [{ tree: a.up, up: true }, { tree: a.down, up: false }] :
			state.view === 'inverted' ? [{ tree: inverted(), up: false }] : [{ tree: forward(), up: state.view === 'flame' }];
		showPanes();
	}
	el('sub').textContent = amount(sum) + ' of ' + meta.events[state.event].name + (meta.sub ? ', ' + meta.sub : '') +
		(isDiff ? ': ' + text(extras[0].total[0]) + ' samples before, ' + text(extras[1].total[0]) + ' after' : '') +
		(meta.lasted_ms ? '; ' + (meta.lasted_ms / 1000).toFixed(3) + ' s' : '') +
		(meta.started_ms ? ', recorded ' + new Date(meta.started_ms).toISOString().replace('T', ' ').replace(/\.\d+Z/, ' UTC') : '');
	tip(null);
	/* a flame's roots are at the foot */
	if (state.view === 'flame') canvas.scrollIntoView(false); else window.scrollTo(0, 0);
}
function view(v) { state.view = v; update(); }
function focus(f) { if (f >= 0) { state.focus = f; view('around'); } }
function zoom(b) {
	if (!b) return;
	b.pane.zoom = b.node;
	current = b;
	draw();
	tip(b);
}
function reset() {
	el('help').hidden = true;
	el('search').value = '';
	state.from = 0; state.to = meta.nr_buckets;
	if (state.view === 'around') state.view = 'flame';
	update();
}
function stack(b) {
	var names = [], t = b.pane.tree;
	for (var n = b.node; n > 0 || (n === 0 && t.frame[0] >= 0); n = t.parent[n]) names.push(name(t.frame[n]));
	return names.join('\n');
}
function tip(b) {
	if (!b) { el('tip').textContent = 'click to zoom, double click for callers and callees, ? for help'; return; }
	var t = b.pane.tree, f = t.frame[b.node];
	var c = isDiff && change(t.sums[0][b.node], t.sums[1][b.node], t.threshold);
	el('tip').textContent = name(f) + (moduleOf(f) ? '  [' + moduleOf(f) + ']' : '') + '  ' + amount(t.total[b.node]) +
		', ' + percent(t.total[b.node]) +
		(c ? '; ' + (100 * c.before).toFixed(2) + '% before, ' + (100 * c.after).toFixed(2) + '% after: ' + changeText(c) : '') +
		(!isDiff && state.over >= 0 ? '; ' + ratio(t, b.node).toPrecision(3) + ' for each of ' + meta.events[state.over].name : '');
}
function find(e) {
	var r = canvas.getBoundingClientRect(), x = e.clientX - r.left, y = e.clientY - r.top;
	for (var i = boxes.length - 1; i >= 0; i--) {
		var b = boxes[i];
		if (x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + ROW) return b;
	}
	return null;
}
/* The box beside, above or below the current one: away from the root is "out". */
function walk(key) {
	var p = panes[0], t, n, k, i;
	if (!current) current = { pane: p, node: p.zoom };
	else {
		p = current.pane; t = p.tree; n = current.node;
		var out = p.up ? 'ArrowUp' : 'ArrowDown', back = p.up ? 'ArrowDown' : 'ArrowUp';
		if (key === out) {
			k = Array.from(t.kids(n)).sort(function (a, b) { return t.total[b] - t.total[a]; });
			if (k.length) n = k[0];
		} else if (key === back) {
			if (n > 0) n = t.parent[n];
		} else if (n > 0) {
			k = t.kids(t.parent[n]);
			i = k.indexOf(n) + (key === 'ArrowRight' ? 1 : -1);
			if (i >= 0 && i < k.length) n = k[i];
		}
		current = { pane: p, node: n };
	}
	draw();
	tip(current);
}

/* Without the clipboard's consent (a page from a file, a browser of before 2020) the old way. */
function copy() {
	if (!current) return;
	var box = document.createElement('textarea'), words = stack(current);
	function old() {
		box.value = words;
		document.body.appendChild(box);
		box.select();
		document.execCommand('copy');
		box.remove();
	}
	if (navigator.clipboard && navigator.clipboard.writeText) navigator.clipboard.writeText(words).catch(old); else old();
	el('tip').textContent = 'copied ' + words.split('\n').length + ' lines';
}
function zoomOut() { panes.forEach(function (p) { p.zoom = p.zoom > 0 ? p.tree.parent[p.zoom] : 0; }); draw(); }

canvas.addEventListener('mousemove', function (e) { tip(find(e) || current); });
canvas.addEventListener('click', function (e) { zoom(find(e)); });
canvas.addEventListener('dblclick', function (e) {
	var b = find(e);
	if (b) focus(b.pane.tree.frame[b.node]);
});
document.addEventListener('keydown', function (e) {
	var typing = /^(INPUT|SELECT)$/.test(e.target.tagName || '');
	if (e.key === 'Escape') { e.target.blur && e.target.blur(); reset(); return; }
	if (e.key === 'F3' || ((e.ctrlKey || e.metaKey) && e.key === 'f')) { e.preventDefault(); el('search').focus(); return; }
	if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
	if (/^Arrow/.test(e.key) && state.view !== 'table') { e.preventDefault(); walk(e.key); }
	else if (e.key === 'Enter' && current) zoom(current);
	else if (e.key === 'Backspace') { e.preventDefault(); zoomOut(); }
	else if (e.key === '/') { e.preventDefault(); el('search').focus(); }
	else if (e.key === 'f') view('flame');
	else if (e.key === 'i') view('icicle');
	else if (e.key === 'v') view('inverted');
	else if (e.key === 't') view('table');
	else if (e.key === 's' && current) focus(current.pane.tree.frame[current.node]);
	else if (e.key === 'c') copy();
	else if (e.key === '?') el('help').hidden = !el('help').hidden;
});
window.addEventListener('resize', function () { if (meta.nr_buckets > 1) drawStrip(); draw(); });
/* On paper it is light, whatever the screen is. */
var wasDark = false;
window.addEventListener('beforeprint', function () { wasDark = document.documentElement.classList.contains('dark'); paint('light'); });
window.addEventListener('afterprint', function () { paint(wasDark ? 'dark' : ''); });
function paint(theme) {
	document.documentElement.classList.remove('dark', 'light');
	if (theme) document.documentElement.classList.add(theme);
	if (meta.nr_buckets > 1) drawStrip();
	draw();
}

function choices(id, names, value, then) {
	names.forEach(function (n, i) {
		var o = document.createElement('option');
		o.textContent = n; o.value = i;
		el(id).appendChild(o);
	});
	el(id).value = value;
	el(id).hidden = names.length < 2;
	el(id).onchange = function () { then(+el(id).value); update(); };
}
choices('event', meta.events.map(function (e) { return e.name; }), state.event, function (i) { state.event = i; });
choices('task', ['all threads'].concat(meta.tasks), 0, function (i) { state.task = i - 1; });
choices('process', ['all processes'].concat(processes), 0, function (i) { state.process = i - 1; });
choices('cpu', ['all CPUs'].concat(meta.cpus.map(function (c) { return 'CPU ' + c; })), 0, function (i) { state.cpu = i - 1; });
if (processes.length < 2 || isDiff) el('process').hidden = true;
if (meta.cpus.length < 2) el('cpu').hidden = true;
if (meta.tasks.length < 2) el('task').hidden = true;
choices('side', isDiff ? ['as wide as before', 'as wide as after'] : [], 1, function (i) { state.side = i; });
choices('weigh', ['by samples', 'by period'], state.period ? 1 : 0, function (i) { state.period = i === 1; });
var palettes = (isDiff ? ['change'] : []).concat(['kind', 'module', 'package', 'self']);
var names = { change: 'by change', kind: 'by kind', module: 'by module', package: 'by package', self: 'by self time' };
var overs = isDiff ? [] : meta.events.map(function (e, i) { return i; });
choices('colors', palettes.map(function (c) { return names[c]; }).concat(overs.length < 2 ? [] : overs.map(function (i) {
	return 'for each of ' + meta.events[i].name;
})), palettes.indexOf(state.colors), function (i) {
	state.over = i < palettes.length ? -1 : overs[i - palettes.length];
	state.colors = palettes[i] || 'kind';
});
['flame', 'icicle', 'inverted', 'table'].forEach(function (v) { el('to-' + v).onclick = function () { view(v); }; });
el('around').onclick = function () { view('flame'); };
el('reset').onclick = reset;
el('do-around').onclick = function () { if (current) focus(current.pane.tree.frame[current.node]); };
el('do-copy').onclick = copy;
el('do-out').onclick = zoomOut;
el('heat').onclick = function () { state.heat = !state.heat; el('heat').classList.toggle('on', state.heat); drawStrip(); };
el('heat').hidden = PER < 2 || SECONDS < 2;
el('ask').onclick = el('help').onclick = function () { el('help').hidden = !el('help').hidden; };
el('theme').onclick = function () {
	paint(isDark() ? 'light' : 'dark');
};
el('search').oninput = function () { search(el('search').value); };
['self', 'total', 'change', 'name'].forEach(function (s) { el('by-' + s).onclick = function () { state.sort = s; showTable(); }; });
el('by-change').hidden = !isDiff;
el('title').textContent = document.title = meta.title;
el('command').textContent = isDiff ? 'before: ' + meta.files[0] + '   after: ' + meta.files[1] : meta.command === meta.title ? '' : meta.command;
el('account').textContent = meta.account;
if (meta.nr_buckets < 2) strip.hidden = el('span').hidden = el('heat').hidden = true;
update();
/* For scripts that drive the page. */
window.sonde = { state: state, update: update, view: view, focus: focus, span: span, functions: functions, name: name,
	matched: function () { return matched(); }, sum: function () { return sum; },
	panes: function () { return panes; }, boxes: function () { return boxes; }, zoom: zoom, stack: stack, change: change, extras: function () { return extras; } };
}());
