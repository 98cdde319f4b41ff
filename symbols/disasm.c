/* SPDX-License-Identifier: MIT */
#include "symbols/disasm.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbols/capstone_load.h"

#define RAW_MOST 8u              /* bytes that a line of data shows */

struct machine {
	uint16_t e_machine;
	bool is_64bit;
	uint8_t unit;            /* instructions start at multiples of this */
	cs_arch arch;
	int mode;
};

static const struct machine machines[] = {
	{ EM_X86_64, true, 1, CS_ARCH_X86, CS_MODE_64 },
	{ EM_X86_64, false, 1, CS_ARCH_X86, CS_MODE_64 },        /* x32 */
	{ EM_386, false, 1, CS_ARCH_X86, CS_MODE_32 },
	{ EM_AARCH64, true, 4, CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN },
	{ EM_ARM, false, 4, CS_ARCH_ARM, CS_MODE_ARM },
	{ EM_PPC64, true, 4, CS_ARCH_PPC, CS_MODE_64 },
	{ EM_PPC, false, 4, CS_ARCH_PPC, CS_MODE_32 },
	{ EM_S390, true, 2, CS_ARCH_SYSZ, 0 },
	{ EM_MIPS, true, 4, CS_ARCH_MIPS, CS_MODE_MIPS64 },
	{ EM_MIPS, false, 4, CS_ARCH_MIPS, CS_MODE_MIPS32 },
	{ EM_SPARCV9, true, 4, CS_ARCH_SPARC, CS_MODE_V9 },
	{ EM_SPARC, false, 4, CS_ARCH_SPARC, 0 },
	{ EM_68K, false, 2, CS_ARCH_M68K, CS_MODE_M68K_040 },
};

struct disasm {
	const struct capstone *cs;
	const struct machine *machine;
	csh handle;
	cs_insn *insn;
	bool big_endian, thumb;
	enum disasm_syntax syntax;
	int mode;
};

static const struct machine *machine_find(uint16_t e_machine, bool is_64bit)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].e_machine == e_machine && machines[i].is_64bit == is_64bit)
			return &machines[i];
	return NULL;
}

int disasm_new(struct disasm **out, uint16_t e_machine, bool is_64bit, bool big_endian,
	       enum disasm_syntax syntax, struct err *err)
{
	const struct machine *m = machine_find(e_machine, is_64bit);
	const struct capstone *cs = capstone_load(err);
	struct disasm *d;

	if (!cs)
		return -ENOENT;
	if (!m)
		return err_set(err, EOPNOTSUPP, "cannot disassemble code of ELF machine %u: capstone does "
			       "not know it", e_machine);
	d = mem_zalloc(sizeof(*d));
	d->cs = cs;
	d->machine = m;
	d->big_endian = big_endian;
	d->syntax = syntax;
	d->mode = m->mode;
	/* aarch64 has its instructions in little endian whatever its data are */
	if (big_endian && m->e_machine != EM_AARCH64)
		d->mode |= (int)CS_MODE_BIG_ENDIAN;
	if (cs->open(m->arch, (cs_mode)d->mode, &d->handle) != CS_ERR_OK) {
		free(d);
		return err_set(err, EOPNOTSUPP, "cannot disassemble code of ELF machine %u: this build of "
			       "capstone leaves it out", e_machine);
	}
	cs->option(d->handle, CS_OPT_DETAIL, CS_OPT_ON);
	if (m->arch == CS_ARCH_X86)
		cs->option(d->handle, CS_OPT_SYNTAX, syntax == DISASM_INTEL ? CS_OPT_SYNTAX_INTEL :
									     CS_OPT_SYNTAX_ATT);
	d->insn = cs->malloc(d->handle);
	if (!d->insn)
		mem_fail(sizeof(cs_insn));
	*out = d;
	return 0;
}

void disasm_free(struct disasm *d)
{
	if (!d)
		return;
	d->cs->free(d->insn, 1);
	d->cs->close(&d->handle);
	free(d);
}

void disasm_set_thumb(struct disasm *d, bool thumb)
{
	if (d->machine->arch != CS_ARCH_ARM || thumb == d->thumb)
		return;
	d->thumb = thumb;
	d->cs->option(d->handle, CS_OPT_MODE, (size_t)(d->mode | (thumb ? CS_MODE_THUMB : 0)));
}

int disasm_check(struct err *err)
{
	return capstone_load(err) ? 0 : -ENOENT;
}

const char *disasm_version(char buf[24])
{
	const struct capstone *cs = capstone_load(NULL);
	int major = 0, minor = 0;

	if (cs)
		cs->version(&major, &minor);
	snprintf(buf, 24, "%d.%d", major, minor);
	return buf;
}

/* --- what an instruction does ----------------------------------------------------------- */

static void x86_places(const struct disasm *d, const cs_insn *insn, struct insn *out)
{
	const cs_x86 *x = &insn->detail->x86;
	uint64_t mask = d->machine->mode == CS_MODE_32 ? UINT32_MAX : UINT64_MAX;

	for (uint8_t i = 0; i < x->op_count; i++) {
		const cs_x86_op *op = &x->operands[i];

		if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP) {
			out->has_data = true;
			out->data = insn->address + insn->size + (uint64_t)op->mem.disp;
		} else if (op->type == X86_OP_IMM &&
			   (out->kind == INSN_JUMP || out->kind == INSN_CALL)) {
			out->has_target = out->target_only = true;
			out->target = (uint64_t)op->imm & mask;
		}
	}
}

/* The last operand, which is where machines with fixed instruction sizes have the target. */
static bool last_imm(const struct disasm *d, const cs_insn *insn, uint64_t *imm, uint8_t *nr)
{
#define LAST(name, TYPE)                                                                      \
	do {                                                                                  \
		*nr = insn->detail->name.op_count;                                            \
		if (!*nr || insn->detail->name.operands[*nr - 1].type != TYPE)                \
			return false;                                                         \
		*imm = (uint64_t)(int64_t)insn->detail->name.operands[*nr - 1].imm;           \
		return true;                                                                  \
	} while (0)

	switch (d->machine->arch) {
	case CS_ARCH_ARM64:
		LAST(arm64, ARM64_OP_IMM);
	case CS_ARCH_ARM:
		LAST(arm, ARM_OP_IMM);
	case CS_ARCH_MIPS:
		LAST(mips, MIPS_OP_IMM);
	case CS_ARCH_PPC:
		LAST(ppc, PPC_OP_IMM);
	case CS_ARCH_SPARC:
		LAST(sparc, SPARC_OP_IMM);
	case CS_ARCH_SYSZ:
		LAST(sysz, SYSZ_OP_IMM);
	default:
		return false;
	}
#undef LAST
}

static void fixed_places(const struct disasm *d, const cs_insn *insn, struct insn *out)
{
	uint64_t imm;
	uint8_t nr;

	if (!last_imm(d, insn, &imm, &nr))
		return;
	if (!d->machine->is_64bit)
		imm &= UINT32_MAX;
	if (out->kind == INSN_JUMP || out->kind == INSN_CALL) {
		out->has_target = true;
		out->target_only = nr == 1;
		out->target = imm;
	} else if (d->machine->arch == CS_ARCH_ARM64 &&
		   (insn->id == ARM64_INS_ADR || (insn->id == ARM64_INS_LDR && nr == 2) || insn->id == ARM64_INS_LDRSW)) {
		out->has_data = true;
		out->data = imm;
	}
}

static bool in_group(const cs_insn *insn, uint8_t group)
{
	for (uint8_t i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == group)
			return true;
	return false;
}

/* What capstone's groups do not tell. */
static enum insn_kind special_kind(const struct disasm *d, const cs_insn *insn)
{
	if (d->machine->arch == CS_ARCH_ARM64) {
		if (insn->id == ARM64_INS_BL || insn->id == ARM64_INS_BLR)
			return INSN_CALL;
		if (insn->id == ARM64_INS_RET)
			return INSN_RETURN;
	}
	if (d->machine->arch == CS_ARCH_ARM && (insn->id == ARM_INS_BL || insn->id == ARM_INS_BLX))
		return INSN_CALL;
	if (d->machine->arch == CS_ARCH_PPC &&
	    (insn->id == PPC_INS_BL || insn->id == PPC_INS_BCTRL || insn->id == PPC_INS_BLA))
		return INSN_CALL;
	if (d->machine->arch == CS_ARCH_SYSZ &&
	    (insn->id == SYSZ_INS_BRASL || insn->id == SYSZ_INS_BRAS || insn->id == SYSZ_INS_BASR))
		return INSN_CALL;
	return INSN_PLAIN;
}

static enum insn_kind kind_of(const struct disasm *d, const cs_insn *insn)
{
	enum insn_kind kind = special_kind(d, insn);

	if (kind != INSN_PLAIN)
		return kind;
	if (in_group(insn, CS_GRP_CALL))
		return INSN_CALL;
	if (in_group(insn, CS_GRP_RET) || in_group(insn, CS_GRP_IRET))
		return INSN_RETURN;
	return in_group(insn, CS_GRP_JUMP) ? INSN_JUMP : INSN_PLAIN;
}

/* --- bytes that are none -------------------------------------------------------------------- */

static bool is_legacy_prefix(uint8_t b)
{
	return b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3 || b == 0x2e ||
	       b == 0x36 || b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65;
}

/* Bytes of ModRM, SIB and displacement in 32- and 64-bit code; 0: they are not all there. */
static size_t modrm_size(const uint8_t *p, size_t room)
{
	uint8_t mod, rm;
	size_t n = 1;

	if (!room)
		return 0;
	mod = p[0] >> 6;
	rm = p[0] & 7;
	if (mod == 3)
		return 1;
	if (rm == 4) {
		if (room < 2)
			return 0;
		n++;
		if (mod == 0 && (p[1] & 7) == 5)
			n += 4;
	}
	if (mod == 1)
		n += 1;
	else if (mod == 2 || (mod == 0 && rm == 5))
		n += 4;
	return n <= room ? n : 0;
}

/*
 * The length of an instruction, most of all a VEX or EVEX one, that is too new for the decoder: it follows
 * from the prefix and the opcode map (Intel SDM vol. 2, 2.3 and 2.7), so the next one is found.
 * 0: it is none of these.
 */
static size_t vector_size(const uint8_t *p, size_t room)
{
	size_t at = 0, n;
	uint8_t map, opcode;
	bool imm;

	while (at < room && at < 4 && is_legacy_prefix(p[at]))
		at++;
	/* 0f 01 and 0f ae with registers: rdpkru, serialize, tpause and their like */
	if (room - at >= 3 && p[at] == 0x0f && (p[at + 1] == 0x01 || p[at + 1] == 0xae) &&
	    p[at + 2] >= 0xc0)
		return at + 3;
	if (room - at >= 5 && p[at] == 0x62) {
		map = p[at + 1] & 7;
		opcode = p[at + 4];
		at += 5;
	} else if (room - at >= 4 && p[at] == 0xc4) {
		map = p[at + 1] & 31;
		opcode = p[at + 3];
		at += 4;
	} else if (room - at >= 3 && p[at] == 0xc5) {
		map = 1;
		opcode = p[at + 2];
		at += 3;
	} else {
		return 0;
	}
	imm = map == 3 || (map == 1 && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
					(opcode >= 0xc4 && opcode <= 0xc6)));
	if (map == 1 && opcode == 0x77)
		return at;
	n = modrm_size(p + at, room - at);
	if (!n || at + n + imm > room || at + n + imm > 15)
		return 0;
	return at + n + imm;
}

void disasm_raw(const struct disasm *d, const uint8_t *bytes, size_t size, uint64_t addr,
		struct insn *out)
{
	int at = 0;

	if (size > 15)
		size = 15;
	*out = (struct insn){ .addr = addr, .bytes = bytes, .size = (uint8_t)size, .kind = INSN_RAW };
	if (d->machine->unit == 4 && size == 4) {
		uint32_t word;

		memcpy(&word, bytes, 4);
		if (d->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
			word = __builtin_bswap32(word);
		snprintf(out->mnemonic, sizeof(out->mnemonic), ".word");
		snprintf(out->operands, sizeof(out->operands), "0x%08x", word);
		return;
	}
	snprintf(out->mnemonic, sizeof(out->mnemonic), ".byte");
	for (size_t i = 0; i < size; i++)
		at += snprintf(out->operands + at, sizeof(out->operands) - (size_t)at, "%s0x%02x",
			       i ? "," : "", bytes[i]);
}

static size_t raw_size(const struct disasm *d, const uint8_t *bytes, size_t room)
{
	size_t unit = d->thumb ? 2 : d->machine->unit, n = 0;

	if (d->machine->arch == CS_ARCH_X86)
		n = vector_size(bytes, room);
	if (!n)
		n = unit;
	return n < room ? n : room;
}

/* --- x86 as objdump writes it ----------------------------------------------------------- */

static bool is_gp_register(const cs_x86_op *op)
{
	x86_reg r = op->reg;

	if (op->type != X86_OP_REG || r == X86_REG_CS || r == X86_REG_DS || r == X86_REG_RIP ||
	    r == X86_REG_RIZ)
		return false;
	/* capstone numbers registers by the alphabet, those of r8 to r15 behind */
	return (r >= X86_REG_AH && r <= X86_REG_EDX) || r == X86_REG_ESI || r == X86_REG_ESP ||
	       (r >= X86_REG_RAX && r <= X86_REG_SPL) || (r >= X86_REG_R8 && r <= X86_REG_R15) ||
	       (r >= X86_REG_R8B && r <= X86_REG_R15W);
}

/* Whether a register among the operands tells the size that the suffix tells, too. */
static bool says_size(const cs_insn *insn)
{
	static const unsigned shifts[] = {
		X86_INS_SHL, X86_INS_SHR, X86_INS_SAR, X86_INS_SAL, X86_INS_ROL, X86_INS_ROR, X86_INS_RCL,
		X86_INS_RCR,
	};
	const cs_x86 *x = &insn->detail->x86;
	bool shift = false, memory = false, found = false;

	switch (insn->id) {
	case X86_INS_CALL:
	case X86_INS_JMP:
	case X86_INS_RET:
	case X86_INS_PUSH:
	case X86_INS_POP:
	case X86_INS_LEAVE:
		return true;
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++)
		shift |= insn->id == shifts[i];
	for (uint8_t i = 0; i < x->op_count; i++) {
		memory |= x->operands[i].type == X86_OP_MEM;
		found |= is_gp_register(&x->operands[i]);
	}
	/* the count in %cl does not say how long what is shifted is */
	return found && !(shift && memory);
}

/* "movl %edi, %eax" -> "mov %edi,%eax": the suffix goes where a register says as much. */
static void plain_mnemonic(const struct disasm *d, const cs_insn *insn, struct insn *out)
{
	const char *base = d->cs->insn_name(d->handle, insn->id);
	char *word = strrchr(out->mnemonic, ' ');        /* behind "lock" and the like */
	size_t n = base ? strlen(base) : 0;

	word = word ? word + 1 : out->mnemonic;
	/* the move of 64 bits between both kinds of registers is the one that is called movq */
	if (strcmp(word, "movd") == 0 && insn->detail->x86.rex & 8) {
		snprintf(word, sizeof(out->mnemonic) - (size_t)(word - out->mnemonic), "movq");
		return;
	}
	if (n && strncmp(word, base, n) == 0 && word[n] && strchr("bwlq", word[n]) && !word[n + 1] &&
	    says_size(insn))
		word[n] = '\0';
}

/* "8(%rcx, %rax), $1" -> "0x8(%rcx,%rax),$0x1": no blanks, and numbers of one digit in hex, too. */
static void plain_operands(const char *in, char *out, size_t room)
{
	unsigned depth = 0;
	size_t n = 0;

	for (const char *p = in; *p && n + 4 < room; p++) {
		bool starts = p == in || strchr(",$- *", p[-1]);

		if (*p == ' ' && p > in && p[-1] == ',')
			continue;
		depth += *p == '(';
		depth -= *p == ')' && depth;
		if (!depth && starts && *p >= '0' && *p <= '9' && p[1] != 'x' &&
		    (!p[1] || strchr(",(", p[1]))) {
			out[n++] = '0';
			out[n++] = 'x';
		}
		out[n++] = *p;
	}
	out[n] = '\0';
}

/*
 * 0f b9 has a ModRM byte behind it (ud1; the kernel's static calls are followed by one),
 * which capstone 4 takes for the next instruction. 0: it is none of these.
 */
static size_t ud1_size(const uint8_t *p, size_t room)
{
	size_t at = 0, n;

	while (at < room && at < 4 && is_legacy_prefix(p[at]))
		at++;
	if (at < room && (p[at] & 0xf0) == 0x40)
		at++;
	if (room - at < 3 || p[at] != 0x0f || p[at + 1] != 0xb9)
		return 0;
	n = modrm_size(p + at + 2, room - at - 2);
	return n ? at + 2 + n : 0;
}

/* --- one after the other -------------------------------------------------------------------- */

bool disasm_next(struct disasm *d, const uint8_t *bytes, size_t room, uint64_t addr,
		 struct insn *out)
{
	const uint8_t *code = bytes;
	uint64_t at = addr;
	size_t left = room;

	if (!room)
		return false;
	if (!d->cs->disasm_iter(d->handle, &code, &left, &at, d->insn) || !d->insn->size ||
	    d->insn->size > room) {
		disasm_raw(d, bytes, raw_size(d, bytes, room), addr, out);
		return true;
	}
	*out = (struct insn){ .addr = addr, .bytes = bytes, .size = (uint8_t)d->insn->size };
	snprintf(out->mnemonic, sizeof(out->mnemonic), "%s", d->insn->mnemonic);
	if (d->machine->arch == CS_ARCH_X86 && ud1_size(bytes, room)) {
		out->size = (uint8_t)ud1_size(bytes, room);
		snprintf(out->mnemonic, sizeof(out->mnemonic), "ud1");
		return true;
	}
	snprintf(out->operands, sizeof(out->operands), "%s", d->insn->op_str);
	out->kind = kind_of(d, d->insn);
	if (d->machine->arch == CS_ARCH_X86 && d->syntax == DISASM_ATT) {
		plain_mnemonic(d, d->insn, out);
		plain_operands(d->insn->op_str, out->operands, sizeof(out->operands));
	}
	if (d->machine->arch == CS_ARCH_X86)
		x86_places(d, d->insn, out);
	else
		fixed_places(d, d->insn, out);
	return true;
}
