/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A look at the libraries that a module asks for (DT_NEEDED), before the dynamic linker takes it:
 * the constructors of a second EAL panic.
 *
 *   header ─▶ program headers ─▶ PT_DYNAMIC ─▶ DT_NEEDED: offset into the strings
 *                                          └─▶ DT_STRTAB: address ─ PT_LOAD ─▶ offset in the file
 */
#include "module.h"

#include <rte_eal.h>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
	const uint8_t *base;
	size_t len;
};

/* True when EAL is a part of this program and not a shared library beside it. */
static bool own_eal(void)
{
	Dl_info eal, here;

	return dladdr((void *)(uintptr_t)rte_eal_init, &eal) != 0 &&
	       dladdr((void *)(uintptr_t)module_check, &here) != 0 &&
	       eal.dli_fbase == here.dli_fbase;
}

/* Element @p i of an array of n elements of @p size at @p off; false: not all in the file. */
static bool element(const struct image *im, uint64_t off, uint64_t i, void *to, size_t size)
{
	if (off > im->len || i >= (im->len - off) / size)
		return false;
	memcpy(to, im->base + off + i * size, size);
	return true;
}

/* Offset in the file of what is loaded at @p addr; UINT64_MAX: nothing is. */
static uint64_t offset_of(const struct image *im, const Elf64_Ehdr *h, uint64_t addr)
{
	Elf64_Phdr p;

	for (unsigned i = 0; i < h->e_phnum && element(im, h->e_phoff, i, &p, sizeof(p)); i++)
		if (p.p_type == PT_LOAD && addr >= p.p_vaddr && addr - p.p_vaddr < p.p_filesz)
			return p.p_offset + (addr - p.p_vaddr);
	return UINT64_MAX;
}

static const char *text_at(const struct image *im, uint64_t off)
{
	if (off >= im->len || memchr(im->base + off, 0, im->len - off) == NULL)
		return "";
	return (const char *)im->base + off;
}

/* The first library of DPDK's that a PT_DYNAMIC of n entries at @p off asks for, or NULL. */
static const char *dpdk_in(const struct image *im, const Elf64_Ehdr *h, uint64_t off, uint64_t n)
{
	uint64_t strings = UINT64_MAX;
	Elf64_Dyn d;

	for (uint64_t i = 0; i < n && element(im, off, i, &d, sizeof(d)); i++)
		if (d.d_tag == DT_STRTAB)
			strings = offset_of(im, h, d.d_un.d_ptr);
	for (uint64_t i = 0; i < n && element(im, off, i, &d, sizeof(d)); i++) {
		const char *name;

		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag != DT_NEEDED || strings > im->len || d.d_un.d_val > im->len)
			continue;
		name = text_at(im, strings + d.d_un.d_val);
		if (strncmp(name, "librte_", strlen("librte_")) == 0)
			return name;
	}
	return NULL;
}

static const char *dpdk_needed(const struct image *im)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	if (!element(im, 0, 0, &h, sizeof(h)) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
		h.e_ident[EI_CLASS] != ELFCLASS64)
		return NULL;
	for (unsigned i = 0; i < h.e_phnum && element(im, h.e_phoff, i, &p, sizeof(p)); i++)
		if (p.p_type == PT_DYNAMIC)
			return dpdk_in(im, &h, p.p_offset, p.p_filesz / sizeof(Elf64_Dyn));
	return NULL;
}

int module_check(const char *path, struct ns_err *e)
{
	struct image im = {0};
	struct stat sb;
	int rc = 0, fd;
	void *map;

	if (!own_eal())
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && sb.st_size > 0) {
		map = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			im = (struct image){map, (size_t)sb.st_size};
			const char *name = dpdk_needed(&im);

			if (name != NULL)
				rc = ns_fail(e, EPROTO,
					"plug-in %s: is linked with %s; a plug-in must use the program's "
					"DPDK: leave -lrte_... out when it is linked",
					path, name);
			munmap(map, im.len);
		}
	}
	close(fd);
	return rc;
}
