/* SPDX-License-Identifier: MIT */
/* bpf_words: what libbpf has to say goes to the log, for those who ask for all of it (-vv). */
#ifndef ENGINE_BPF_WORDS_H
#define ENGINE_BPF_WORDS_H

/* Before libbpf is first called. Without BPF in this build it does nothing. */
void bpf_words_to_log(void);

#endif
