# sonde annotate: where in a function. perf annotate is the oracle for its numbers,
# objdump for its instructions, and a browser for its page.
load common

setup_file()
{
	local what

	export DATA=$BATS_FILE_TMPDIR
	for what in divide chase guess; do
		"$SONDE" record -q -e cpu-clock -F 4000 -o "$DATA/$what.data" -- "$WORKLOADS/hot" $what 1 >/dev/null
	done
}

# "ADDRESS PERCENT..." of the instructions of a listing, without those that have no samples.
percents()
{
	awk 'match($0, /^ *[0-9.]+( +[0-9.]+)* +: +[0-9a-f]+: /) {
		split($0, f, ":")
		gsub(/ /, "", f[2])
		gsub(/  +/, " ", f[1])
		gsub(/^ | $/, "", f[1])
		if (f[1] ~ /[1-9]/)
			print f[2], f[1]
	}'
}

# like_perf FILE SYMBOL [ARG...]: the same percentages on the same instructions.
like_perf()
{
	perf annotate -i "$1" --stdio -s "$2" "${@:3}" 2>/dev/null | percents >by_perf
	"$SONDE" annotate -i "$1" -s "$2" "${@:3}" 2>said | percents >by_sonde
	cat said
	[[ $(wc -l <by_perf) -ge 1 ]] || { echo "perf shows nothing of $2"; return 1; }
	diff by_perf by_sonde
}

line_of()
{
	awk -v mark="HOT $1 \\\\*/" '$0 ~ mark { print NR }' "$TOP/tests/workloads/hot.c"
}

# hot_line WHAT FUNCTION: most samples of FUNCTION are on the line marked HOT WHAT.
hot_line()
{
	cp "$DATA/$1.data" .
	"$SONDE" annotate -i "$1.data" -l "$1" --source-dir "$TOP" >"$1.txt"
	head -n 12 "$1.txt"
	[[ $(awk '/^ +[0-9]/ { print $2; exit }' "$1.txt") == "hot.c:$(line_of "$1")" ]]
	# and the line itself is shown above its instructions
	grep -qF "HOT $1 */" "$1.txt"
}

# around WHAT PATTERN: the hottest instruction matches, or the one before it, which it waited
# for; or, with a jump in the pattern, it is where the jump goes.
around()
{
	"$SONDE" annotate -i "$1.data" -j "$1" >"$1.json"
	python3 - "$1.json" "$2" <<-'END'
		import json, re, sys
		f = json.load(open(sys.argv[1]))["functions"][0]
		v = f["instructions"]
		hot = max(range(len(v)), key=lambda i: v[i].get("counts", [{"period": 0}])[0]["period"])
		near = [v[i]["text"] for i in (hot, hot - 1, hot - 2) if i >= 0]
		near += [i["text"] for i in v if i.get("target") in (v[hot]["address"], v[hot - 1]["address"])]
		print(v[hot]["text"], near)
		assert any(re.search(sys.argv[2], t) for t in near)
	END
}

@test "the hot line of a division loop is the division's" {
	need python3
	hot_line divide
	[[ $(uname -m) == x86_64 ]] || skip "which instruction it is, is known for x86-64"
	around divide '^div'
}

@test "the hot line of a pointer chase is the load's" {
	need python3
	hot_line chase
	[[ $(uname -m) == x86_64 ]] || skip "which instruction it is, is known for x86-64"
	around chase '^mov +\(%r'
}

@test "the hot line of random branches is the branch's" {
	need python3
	hot_line guess
	[[ $(uname -m) == x86_64 ]] || skip "which instruction it is, is known for x86-64"
	around guess '^(j[a-z]+|test|mov) '
}

@test "percentages of a C program are perf annotate's" {
	need perf
	cp "$DATA/guess.data" c.data
	like_perf c.data guess
	like_perf c.data guess --percent-type local-hits
}

@test "percentages of C++ with inlined functions are perf annotate's, and those are marked" {
	need perf
	need g++
	cat >app.cc <<-'END'
		#include <algorithm>
		#include <cstdio>
		#include <vector>
		static inline double square(double v) { return v * v; }
		__attribute__((noinline)) double total(const std::vector<double> &v) {
			double s = 0;
			for (double d : v)
				s += square(d) / 3;
			return s;
		}
		int main() {
			std::vector<double> v(20000);
			double s = 0;
			for (int round = 0; round < 1000; round++) {
				for (auto &d : v)
					d = (round * 7919 + &d - &v[0]) % 10007;
				s += total(v);
				if (round % 10 == 0)
					std::sort(v.begin(), v.end(), [](double a, double b) { return a > b; });
			}
			std::printf("%g\n", s);
		}
	END
	g++ -O2 -g -o app app.cc || skip "g++ does not work here"
	"$SONDE" record -q -e cpu-clock -F 4000 -o cc.data -- ./app >/dev/null
	like_perf cc.data total
	like_perf cc.data main
	sort_name=$("$SONDE" report -i cc.data -q -F sym --stdio | sed 's/^ *\[[.k]\] //' | grep -m 1 '^std::__introsort_loop')
	[[ -n $sort_name ]]
	like_perf cc.data "$sort_name"
	"$SONDE" annotate -i cc.data total >total.txt
	grep -q '\[square inlined at app.cc:8 in total\]' total.txt
	grep -q ' 4 *static inline double square' total.txt
	# names with pages of template arguments leave the line readable
	"$SONDE" annotate -i cc.data "$sort_name" >sort.txt
	grep -qF '<...>' sort.txt
	! grep ' inlined at ' sort.txt | grep -E '.{420}|allocator<' || false
	# every function that perf can show
	"$SONDE" annotate -i cc.data --no-source >all.txt 2>/dev/null
	[[ $(grep -c 'Source code & Disassembly' all.txt) -ge 3 ]]
}

@test "events of a group stand side by side, as in perf annotate" {
	need perf
	perf_records -e '{cpu-clock,page-faults}' -c 500000 -o group.data "$WORKLOADS/faults" 20000
	symbol=$("$SONDE" annotate -i group.data -j --percent-limit 0 2>/dev/null |
		grep -o '"symbol":"[a-z_]*","module":"[^"]*/faults"' | head -n 1 | cut -d'"' -f4)
	[[ -n $symbol ]]
	like_perf group.data "$symbol"
	"$SONDE" annotate -i group.data "$symbol" | grep -qF 'for anon group { cpu-clock, page-faults }'
	"$SONDE" annotate -i group.data --no-group "$symbol" | grep -c 'Source code & Disassembly' | grep -qE '^[12]$'
}

@test "percentages of a stripped library are those of its samples' addresses" {
	need perf
	need gcc
	cat >lib.c <<-'END'
		static __attribute__((noinline)) unsigned hidden(unsigned n) {
			unsigned s = 0;
			for (unsigned i = 1; i < n; i++)
				s += n / i;
			return s;
		}
		unsigned shown(unsigned n) { return hidden(n) + hidden(n + 1); }
	END
	cat >use.c <<-'END'
		unsigned shown(unsigned);
		int main(void) { unsigned s = 0; for (int i = 0; i < 1000; i++) s += shown(40000); return s == 1; }
	END
	gcc -O2 -fPIC -shared -o libhide.so lib.c
	gcc -O2 -o use use.c ./libhide.so
	start=$(nm libhide.so | awk '$3 ~ /^hidden/ { sub(/^0*/, "", $1); print $1; exit }')
	size=$(nm -S libhide.so | awk '$4 ~ /^hidden/ { print $2; exit }')
	strip libhide.so
	"$SONDE" record -q -e cpu-clock -F 4000 -o lib.data -- ./use
	"$SONDE" annotate -i lib.data "libhide.so+0x$start" | percents >by_sonde
	# the library is mapped with its file's offsets for addresses
	perf script -i lib.data -F ip,dso --show-mmap-events 2>/dev/null |
		awk '/PERF_RECORD_MMAP/ && /libhide/ && /r-xp/ { match($0, /\[0x[0-9a-f]+\(/); base = substr($0, RSTART + 1, RLENGTH - 2)
			match($0, /@ (0x)?[0-9a-f]+/); off = substr($0, RSTART + 2, RLENGTH - 2) }
		     $2 ~ /libhide/ { print base, off, $1 }' |
		while read -r base off ip; do
			at=$((16#$ip - base + off - 16#$start))
			((at >= 0 && at < 16#$size)) && printf '%x\n' $((at + 16#$start))
		done | sort | uniq -c | awk '{ n[$2] = $1; all += $1 }
			END { for (a in n) printf "%s %.2f\n", a, 100 * n[a] / all }' | sort >by_address
	[[ -s by_address ]]
	diff by_address by_sonde
}

@test "percentages of an aarch64 program and of its functions are perf annotate's" {
	need perf
	need python3
	need aarch64-linux-gnu-gcc
	need aarch64-linux-gnu-objdump
	# the compiler alone: its C library is another package
	cat >a.c <<-'END'
		int result;
		int table[64];
		__attribute__((noinline)) int sum(int n) {
			int s = 0;
			for (int i = 0; i < n; i++)
				s += table[i & 63] / (i + 1);
			return s;
		}
		void _start(void) { result = sum(result); for (;;); }
	END
	aarch64-linux-gnu-gcc -O2 -g -nostdlib -static -no-pie -Wl,-Ttext-segment=0x400000 -o arm a.c
	start=$((16#$(aarch64-linux-gnu-nm arm | awk '$3 == "sum" { print $1 }')))
	size=$((16#$(aarch64-linux-gnu-nm -S arm | awk '$4 == "sum" { print $2 }')))
	{
		echo "map 0x400000 0x1000 0 $PWD/arm"
		for ((i = 0; i < size; i += 4)); do
			echo "sample $((start + i)) $((i * 7 + 1)) $((i % 5))"
		done
	} | python3 "$TOP/tests/e2e/recording.py" arm.data aarch64
	"$SONDE" annotate -i arm.data sum >arm.txt
	perf annotate -i arm.data --stdio --objdump="$(command -v aarch64-linux-gnu-objdump)" -s sum 2>/dev/null |
		percents >by_perf
	percents <arm.txt >by_sonde
	[[ $(wc -l <by_perf) -gt 8 ]]
	diff by_perf by_sonde
	grep -qE 'sdiv +w[0-9]+, w[0-9]+, w[0-9]+' arm.txt
	grep -qE ' 6 +s \+= table' arm.txt
}

@test "with branch stacks: instructions per cycle and cycles of the block that ends at a branch" {
	need python3
	need aarch64-linux-gnu-gcc
	cat >b.s <<-'END'
		.globl _start
		.type _start, %function
		_start:	nop
		again:	add x0, x0, #1
			add x1, x1, #1
			add x2, x2, #1
			cbnz x3, again
			ret
		.size _start, . - _start
	END
	aarch64-linux-gnu-gcc -nostdlib -static -Wl,-Ttext=0x400000,--build-id=none -o b b.s
	# the text is at 0x400000; the loop from 0x400004 to 0x400010: 4 instructions in (10 + 30) / 2 cycles
	{
		readelf -lW b | awk -v file="$PWD/b" '/LOAD.* R E / { print "map", $3, $6, $2, file }'
		echo branches 0x400010 0x400004 10 0x400010 0x400004 30 0x400010 0x400004 999
		echo sample 0x400008 1000 2
	} | python3 "$TOP/tests/e2e/recording.py" b.data aarch64
	"$SONDE" annotate -i b.data _start >b.txt
	cat b.txt
	grep -qE '^ Percent +IPC Cycles\|' b.txt
	grep -qE '^ +0\.00 +0\.20 +20 : +400010: +cbnz ' b.txt
	[[ $(grep -c ' 20 :' b.txt) == 1 ]]
	"$SONDE" annotate -i b.data _start -j | grep -q '"ipc":0.20,"cycles":20.0'
}

# A "kernel" of C, linked where kernels are.
make_kernel()
{
	cat >kernel.c <<-'END'
		asm(".text\n.globl _text\n.globl _stext\n_text:\n_stext:\n");
		int table[64];
		void begin(void) {}
		__attribute__((noinline)) int kernel_sum(int n) {
			int s = 0;
			for (int i = 0; i < n; i++)
				s += table[i & 63] / (i + 1);
			return s;
		}
	END
	gcc -O2 -g -c -mcmodel=kernel -fno-pic -fcf-protection=none -fno-toplevel-reorder kernel.c -o kernel.o &&
		ld -Ttext=0xffffffff81000000 -Tdata=0xffffffff81200000 -e begin --build-id=none -o vmlinux kernel.o
}

# kernel_samples TEXT: samples in kernel_sum of a kernel whose text is there.
kernel_samples()
{
	local text=$1
	echo "kmap $text 0x100000 $text [kernel.kallsyms]_text"
	objdump -d --no-show-raw-insn --disassemble=kernel_sum vmlinux | awk -v OFS=' ' '/^ffffffff/ && /:\t/ { print substr($1, 9, 8) }' |
		while read -r low; do
			echo "ksample $((text + 16#$low - 0x81000000)) $((16#$low % 97 + 1)) $((16#$low % 4))"
		done
}

@test "percentages of a kernel function are perf annotate's, from a vmlinux, moved or not" {
	need perf
	need python3
	[[ $(uname -m) == x86_64 ]] || skip "the kernel is linked for x86-64"
	make_kernel || skip "no kernel can be linked here"
	kernel_samples 0xffffffff81000000 | python3 "$TOP/tests/e2e/recording.py" k.data x86_64
	like_perf k.data kernel_sum -k vmlinux
	[[ $(wc -l <by_sonde) -gt 5 ]]
	# KASLR: the same kernel elsewhere. perf has the vmlinux's addresses, sonde those that ran.
	kernel_samples 0xffffffff92000000 | python3 "$TOP/tests/e2e/recording.py" k2.data x86_64
	"$SONDE" annotate -i k2.data -k vmlinux kernel_sum >k2.txt
	percents <k2.txt | sed 's/^ffffffff92/ffffffff81/' >moved
	diff by_perf moved
	grep -qE ' 7 +s \+= table' k2.txt
	grep -q 'code from vmlinux' k2.txt
}

@test "the page: the hottest line is marked, and nothing leaves it" {
	need chromium "chromium is not installed"
	cp "$DATA/divide.data" page.data
	"$SONDE" annotate -i page.data --source-dir "$TOP" --html page.html >said 2>remarks
	[[ $(<said) == page.html ]]
	! grep -qE 'https?://|src=|@import|url\(' page.html || false
	"$SONDE" annotate -i page.data -j divide >page.json
	hottest=$(python3 - <<-'END'
		import json
		v = json.load(open("page.json"))["functions"][0]["instructions"]
		print(max(v, key=lambda i: i.get("counts", [{"period": 0}])[0]["period"])["address"][2:])
	END
	)
	sed 's|</body>||; s|</html>||' page.html >driven.html
	cat >>driven.html <<-'END'
		<script>
		(function () {
			var on = document.querySelector('section.on'), said = [];
			said.push(on.dataset.name);
			said.push(on.querySelector('.asm tr.hottest').id);
			said.push(on.querySelector('.src tr.hottest td.n').textContent);
			on.querySelector('.src tr.hottest').dispatchEvent(new MouseEvent('click', { bubbles: true }));
			said.push(on.querySelector('.asm tr.hottest').classList.contains('sel'));
			said.push(document.querySelectorAll('nav a').length === document.querySelectorAll('section').length);
			said.push(performance.getEntriesByType('resource').length);
			document.documentElement.setAttribute('data-said', said.join('|'));
		}());
		</script></body></html>
	END
	# whatever it asked for would be looked up, fail, and be logged
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$PWD/profile" \
		--log-net-log="$PWD/net.json" --dump-dom "file://$PWD/driven.html" >dom 2>errors ||
		skip "chromium does not run here: $(tail -n 1 errors)"
	grep -o 'data-said="[^"]*"' dom
	grep -qF "data-said=\"divide|f0-$hottest|$(line_of divide)|true|true|0\"" dom
	! grep -oE '"url":"https?://[^"]*"' net.json | grep -vE 'google|gstatic|chrome' | grep . || false
}

@test "JSON is JSON and has the text's numbers" {
	need python3
	cp "$DATA/guess.data" j.data
	"$SONDE" annotate -i j.data guess | percents >text
	"$SONDE" annotate -i j.data guess -j >j.json
	python3 - <<-'END'
		import json
		text = {a: float(p) for a, p in (line.split() for line in open("text"))}
		assert text
		d = json.load(open("j.json"))
		assert d["schema"] == "sonde-annotate" and d["version"] == 1
		f = d["functions"][0]
		assert sum(i["counts"][0]["samples"] for i in f["instructions"] if "counts" in i) == f["events"][0]["samples"]
		# rounded to two places there and to more here: half a hundredth apart, and a little
		for i in f["instructions"]:
		    if "counts" in i:
		        percent = i["counts"][0]["percent"]
		        assert abs(text.pop(i["address"][2:], 0) - percent) < 0.0052, i
		assert not text, text
	END
}

@test "arrows, syntax, bytes, numbers: the listing as asked for" {
	[[ $(uname -m) == x86_64 ]] || skip "looks for instructions of x86-64"
	cp "$DATA/divide.data" o.data
	"$SONDE" annotate -i o.data divide --stdio2 >two
	grep -qE ' div +%e' two
	grep -qE '┌.*[0-9a-f]+:' two
	grep -qE '└.*(↑|↓) j[a-z]+ +[0-9a-f]+$' two
	"$SONDE" annotate -i o.data divide -M intel | grep -qE ': +div +e[a-z]+$'
	"$SONDE" annotate -i o.data divide --asm-raw | grep -qE ': +f7 f[0-9] +div +%e'
	total=$("$SONDE" annotate -i o.data divide -n | awk '/^ +[0-9]+ :/ { n += $1 } END { print n }')
	[[ $total == "$("$SONDE" report -i o.data -S divide -n -F sample -s sym -q | awk '/[0-9]/ { print $1; exit }')" ]]
	"$SONDE" annotate -i o.data divide --min-percent 5 | percents | awk '$2 < 5 { bad = 1 } END { exit bad || !NR }'
	"$SONDE" annotate -i o.data divide --stdio-color always | grep -q "$(printf '\033\\[31m')"
	! "$SONDE" annotate -i o.data divide | grep -q "$(printf '\033')" || false
	[[ $("$SONDE" annotate -i o.data | grep -c 'is not a precise event') == 1 ]]
}

@test "source is found by --prefix, --prefix-strip and --source-dir; what is missing costs one note" {
	mkdir -p build other/place/src
	printf '#include <stdlib.h>\nint main(int c, char **v) {\n\tunsigned s = 0;\n\tfor (unsigned i = 1; i < 100000000; i++) s += 4000000000u / (i | c);\n\treturn s == 7 && v;\n}\n' >build/slow.c
	gcc -O1 -g -o slow "$PWD/build/slow.c"
	"$SONDE" record -q -e cpu-clock -F 500 -o s.data -- ./slow
	mv build/slow.c other/place/src/
	run --separate-stderr "$SONDE" annotate -i s.data main
	[[ $status == 0 && ${#stderr_lines[@]} == 1 && $stderr == *"build/slow.c' cannot be read"* ]]
	[[ $output == *" slow.c:4"* && $output != *"s += 4000000000u"* ]]
	strip=$(tr -cd / <<<"$PWD/build/" | wc -c)
	for args in "--prefix $PWD/other/place/src --prefix-strip $((strip - 1))" "--source-dir $PWD/other/place/src"; do
		# shellcheck disable=SC2086
		run --separate-stderr "$SONDE" annotate -i s.data main $args
		[[ $output == *"s += 4000000000u"* && -z $stderr ]]
	done
	printf 'text\0and bytes\n' >build/slow.c
	run --separate-stderr "$SONDE" annotate -i s.data main
	[[ $status == 0 && ${#stderr_lines[@]} == 1 && $stderr == *"is not text"* ]]
	fails 129 "$SONDE" annotate -i s.data --prefix-strip 2 main
}

@test "source that is embedded in the debug information needs no file" {
	need clang
	printf 'int main(int c, char **v) {\n\tunsigned s = 0;\n\tfor (unsigned i = 1; i < 100000000; i++) s += 4000000000u / (i | c);\n\treturn s == 7 && v;\n}\n' >gone.c
	clang -O1 -gdwarf-5 -gembed-source -o slow gone.c 2>errors || skip "clang cannot embed: $(head -n 1 errors)"
	rm gone.c
	"$SONDE" record -q -e cpu-clock -F 500 -o s.data -- ./slow
	run --separate-stderr "$SONDE" annotate -i s.data main
	[[ $status == 0 && -z $stderr && $output == *" 3"*"s += 4000000000u / (i | c);"* ]]
	"$SONDE" annotate -i s.data main --html page.html >/dev/null
	grep -q '4000000000u' page.html
}

@test "what cannot be shown is told in one line" {
	cp "$WORKLOADS/hot" ./app
	"$SONDE" record -q -e cpu-clock -F 500 -o e.data -- ./app divide 0.3 >/dev/null
	fails 1 "$SONDE" annotate -i e.data chase
	says "no sample lies in 'chase'"
	fails 1 "$SONDE" annotate -i e.data divid
	says "no binary in the recording has a function 'divid'; did you mean 'divide'\?"
	cp "$WORKLOADS/burn" ./app
	fails 1 "$SONDE" annotate -i e.data -s divide
	says "no function 'divide' is known here, and [0-9]+ % of the samples lie in '.*/app' .*build-id differs"
	rm app
	fails 1 "$SONDE" annotate -i e.data -s divide
	says "no function 'divide' is known here, .*cannot be opened here"
	fails 1 "$SONDE" annotate -i e.data -d nothing.so
	says "no sample lies in a named function of 'nothing.so'"
	fails 1 "$SONDE" annotate -i nowhere.data
	fails 129 "$SONDE" annotate -i e.data a b
	for option in --tui --gtk --objdump=x --itrace -D "--percent-type most" "-M arm" "--percent-limit x"; do
		# shellcheck disable=SC2086
		fails 129 "$SONDE" annotate -i e.data $option
	done
	fails 129 "$SONDE" annotate -i e.data -j --html x.html
	[[ ! -e x.html ]]
}

@test "report names the command that annotates its top symbol, and it works" {
	cp "$DATA/divide.data" 'a file.data'
	command=$("$SONDE" report -i 'a file.data' --stdio | sed -n 's/^# Where in the hottest function: sonde //p')
	[[ $command == "annotate -i 'a file.data' divide" ]]
	eval "\"$SONDE\" $command" | grep -q 'Source code & Disassembly of hot for cpu-clock'
	mv 'a file.data' perf.data
	"$SONDE" report --stdio | grep -qx '# Where in the hottest function: sonde annotate divide'
	! "$SONDE" report -q --stdio | grep -q annotate || false
	! "$SONDE" report -s dso --stdio | grep -q annotate || false
}

# like_objdump FILE: the same instructions at the same addresses, in all of its code.
like_objdump()
{
	[[ -x $OUT/tests/unit/test_disasm ]] || skip "test_disasm is not built: make unit"
	"$OUT/tests/unit/test_disasm" --dump "$1" >listing
	objdump -d --no-show-raw-insn "$1" | awk -v ours=listing -f "$TOP/tests/e2e/objdump.awk"
}

@test "every instruction of libc.so.6 is objdump's" {
	need objdump
	[[ $(uname -m) == x86_64 ]] || skip "the differences are known for x86-64"
	libc=$(ldd "$SONDE" | awk '/libc\.so/ { print $3 }')
	[[ -n $libc ]] || skip "sonde is linked without libc.so"
	like_objdump "$libc"
}

# A kernel is compressed inside of its image: the first stream that opens to an ELF file.
open_kernel()
{
	local at magic program
	[[ $(head -c 4 "$1" | tail -c 3) != ELF ]] || { ln -s "$(realpath "$1")" "$2"; return; }
	for magic in '\xfd7zXZ\0:xz -dc' '\x28\xb5\x2f\xfd:zstd -dc' '\x02\x21\x4c\x18:lz4 -dc' '\x1f\x8b\x08:gzip -dc'; do
		program=${magic##*:}
		command -v "${program%% *}" >/dev/null || continue
		for at in $(LC_ALL=C grep -obUaP "${magic%:*}" "$1" | cut -d: -f1); do
			tail -c "+$((at + 1))" "$1" | $program >opened 2>/dev/null || true
			[[ $(head -c 4 opened | tail -c 3) == ELF ]] && mv opened "$2" && return
		done
	done
	return 1
}

@test "every instruction of a kernel image is objdump's" {
	need objdump
	[[ $(uname -m) == x86_64 ]] || skip "the differences are known for x86-64"
	image=${KERNEL_IMAGE:-}
	for image in "$image" /boot/vmlinuz-*; do
		[[ -r $image ]] && break
	done
	[[ -r $image ]] || skip "no kernel here: set KERNEL_IMAGE to a vmlinuz or vmlinux"
	open_kernel "$image" kernel || skip "cannot open $image: xz, zstd, lz4 or gzip may be missing"
	like_objdump kernel
}

@test "code that a JIT made is read from its jitdump" {
	need gcc
	[[ $(uname -m) == x86_64 ]] || skip "the JIT makes x86-64"
	cat >jit.c <<-'END'
		#include <elf.h>
		#include <fcntl.h>
		#include <stdint.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <time.h>
		#include <unistd.h>
		/* mov $200000000,%ecx; 1: imul %rax,%rax; imul %rax,%rax; dec %ecx; jnz 1b; ret */
		static const unsigned char code[] = { 0xb9, 0x00, 0xc2, 0xeb, 0x0b, 0x48, 0x0f, 0xaf, 0xc0,
			0x48, 0x0f, 0xaf, 0xc0, 0xff, 0xc9, 0x75, 0xf4, 0xc3 };
		static uint64_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
			return t.tv_sec * 1000000000ull + t.tv_nsec; }
		int main(void) {
			struct { uint32_t magic, version, size, machine, pad, pid; uint64_t time, flags; } head =
				{ 0x4A695444, 1, 40, EM_X86_64, 0, getpid(), now(), 0 };
			struct { uint32_t type, size; uint64_t time; uint32_t pid, tid;
				 uint64_t vma, addr, bytes, index; } load;
			unsigned char *p = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			char name[64];
			snprintf(name, sizeof name, "jit-%d.dump", getpid());
			int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);
			write(fd, &head, sizeof head);
			mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
			memcpy(p, code, sizeof code);
			load.type = 0; load.size = sizeof load + 5 + sizeof code; load.time = now();
			load.pid = load.tid = getpid(); load.vma = load.addr = (uint64_t)p;
			load.bytes = sizeof code; load.index = 1;
			write(fd, &load, sizeof load); write(fd, "made", 5); write(fd, code, sizeof code);
			((void (*)(void))p)();
			return 0;
		}
	END
	gcc -w -O1 -o jit jit.c
	"$SONDE" record -q -k mono -e cpu-clock -F 2000 -o jit.data -- ./jit 2>/dev/null ||
		"$SONDE" record -q -e cpu-clock -F 2000 -o jit.data -- ./jit
	"$SONDE" annotate -i jit.data made >made.txt
	cat made.txt
	[[ $(grep -c ' :   [0-9a-f]*:   ' made.txt) == 6 ]]
	grep -q 'code from its jitdump' made.txt
	grep -qE ' :   [0-9a-f]+:   imul +%rax,%rax' made.txt
	[[ $(percents <made.txt | awk '{ s += $2 } END { print (s > 99) }') == 1 ]]
}
