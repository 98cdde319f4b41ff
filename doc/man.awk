# A page of doc/ -> a man page. In: the little Markdown that the pages use;
# version.
#
#	# sonde-record(1)          title; section 1 where none is stated
#	## NAME, ### Sub           headings
#	`-o FILE`, `--output FILE` a line that begins with an option opens an entry;
#	: text                     its text, here or indented or on the lines behind
#	- item, * item, 1. item    lists
#	    code, ``` code ```     as it stands
#	| a | b |                  tables, as they stand
#	`code` **bold** *it* _it_ [text](link)

function escape(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/'/, "\\(aq", s)
	gsub(/`/, "\\(ga", s)
	gsub(/\^/, "\\(ha", s)
	gsub(/~/, "\\(ti", s)
	return s
}

# A line of text must not begin as a request does.
function guard(s)
{
	return s ~ /^[.']/ ? "\\&" s : s
}

function inline(s,   out, mark, body)
{
	out = ""
	while (match(s, /`[^`]+`|\*\*[^*]+\*\*|\*[^* ][^*]*\*|\[[^]]+\]\([^)]+\)/)) {
		out = out escape(substr(s, 1, RSTART - 1))
		mark = substr(s, RSTART, RLENGTH)
		s = substr(s, RSTART + RLENGTH)
		if (mark ~ /^\[/) {
			body = mark
			sub(/^\[/, "", body)
			sub(/\]\(.*/, "", body)
			gsub(/`/, "", body)
			out = out "\\fI" escape(body) "\\fR"
		} else if (mark ~ /^`/)
			out = out "\\fB" escape(substr(mark, 2, length(mark) - 2)) "\\fR"
		else if (mark ~ /^\*\*/)
			out = out "\\fB" escape(substr(mark, 3, length(mark) - 4)) "\\fR"
		else
			out = out "\\fI" escape(substr(mark, 2, length(mark) - 2)) "\\fR"
	}
	return out escape(s)
}

function code(on)
{
	if (on && !in_code)
		print ".PP\n.RS 4\n.nf"
	if (!on && in_code)
		print ".fi\n.RE"
	in_code = on
}

function paragraph()
{
	if (broken)
		print in_item ? ".IP" : ".PP"
	broken = 0
}

{ was = kind; kind = "" }

/^```/ { fenced = !fenced; code(fenced); broken = 1; next }
fenced { print guard(escape($0)); next }

/^# / && !titled {
	titled = 1
	name = $2
	section = 1
	if (match(name, /\([0-9]\)/)) {
		section = substr(name, RSTART + 1, 1)
		name = substr(name, 1, RSTART - 1)
	}
	if (name !~ /^sonde/)
		name = "sonde"
	printf ".TH %s %s \"\" \"Sonde %s\" \"Sonde\"\n", toupper(escape(name)), section, version
	print ".nh\n.ad l"
	next
}

/^##+ / {
	code(0)
	sub_heading = /^###/
	sub(/^#+ /, "")
	print (sub_heading ? ".SS " : ".SH ") (sub_heading ? inline($0) : toupper(inline($0)))
	in_item = 0
	broken = 0
	next
}

/^ *$/ {
	if (in_code) {
		print ""
		next
	}
	broken = 1
	next
}

/^\|/ {
	if ($0 ~ /^\|[-| :]+\|$/)
		next
	code(1)
	gsub(/`/, "")
	print guard(escape($0))
	table = 1
	next
}
table { code(0); table = 0; broken = 1 }

# An indented block behind an empty line is code, unless it goes on in an item.
(/^(    |\t)/ && broken && !in_item) || (in_code && /^(    |\t)/) {
	code(1)
	sub(/^(    |\t)/, "")
	print guard(escape($0))
	next
}
in_code { code(0); broken = 1 }

# A line in the middle of a paragraph may begin so without being an entry.
/^[-*] (\*\*)?`-/ || (/^(\*\*)?`-/ && (broken || was != "text")) {
	sub(/^[-*] /, "")
	head = $0
	rest = ""
	# "`-x`: text", "`-x` - text", "`-x` -- text": the text is the entry's.
	if (match(head, /` *(:|--|-|\342\200\224) +/)) {
		rest = substr(head, RSTART + RLENGTH)
		head = substr(head, 1, RSTART)
	}
	print ".TP"
	print guard(inline(head))
	if (rest != "")
		print guard(inline(rest))
	in_item = 1
	broken = 0
	kind = rest == "" ? "head" : "entry"
	next
}

/^(: +)/ { kind = "entry"; sub(/^: +/, ""); print guard(inline($0)); broken = 0; next }

/^ *[-*] / { sub(/^ *[-*] /, ""); print ".IP \\(bu 2"; print guard(inline($0)); in_item = 1; broken = 0; next }
/^ *[0-9]+\. / { n = $1; sub(/^ *[0-9]+\. /, ""); print ".IP " n " 4"; print guard(inline($0)); in_item = 1; broken = 0; next }

{
	if (broken && /^[^ \t]/)
		in_item = 0
	kind = "text"
	paragraph()
	sub(/^[ \t]+/, "")
	print guard(inline($0))
}

END { code(0) }
