/* SPDX-License-Identifier: MIT */
/* C++ exceptions in flight: thrown through frames with something to destroy, rethrown. */
#include <stdexcept>
#include <string>

static volatile int destroyed;

struct counted {
	~counted() { destroyed = destroyed + 1; }
};

static __attribute__((noinline)) void thrower(int n)
{
	counted here;

	if (n)
		thrower(n - 1);
	else
		throw std::runtime_error("thrown");
}

static __attribute__((noinline)) void rethrower()
{
	try {
		thrower(3);
	} catch (const std::exception &) {
		counted here;
		throw;
	}
}

int main()
{
	try {
		rethrower();
	} catch (const std::runtime_error &e) {
		return std::string(e.what()) != "thrown" || destroyed != 5;
	}
	return 1;
}
