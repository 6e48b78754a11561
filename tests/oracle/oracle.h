/* SPDX-License-Identifier: Apache-2.0
 * tests/oracle/oracle.h - requantization once more, by exact division of 128-bit integers; shares no code with quant/.
 * Written from the definitions (round to nearest, which way ties go), not from shifts. */
#ifndef BITEMU_TESTS_ORACLE_H
#define BITEMU_TESTS_ORACLE_H

#include <cstdint>

namespace oracle {

__extension__ typedef __int128 wide;

inline wide power2(int e) { return e ? 2 * power2(e - 1) : 1; }

inline wide floor_div(wide a, wide b) /* b > 0 */
{
    wide q = a / b;
    return a % b < 0 ? q - 1 : q;
}

/* a / b to the nearest integer, ties to +infinity. */
inline wide nearest_up(wide a, wide b) { return floor_div(2 * a + b, 2 * b); }

/* a / b to the nearest integer, ties away from zero. */
inline wide nearest_away(wide a, wide b) { return a >= 0 ? floor_div(2 * a + b, 2 * b) : -floor_div(-2 * a + b, 2 * b); }

inline wide wrap(wide a, int bits)
{
    wide n = power2(bits), r = a - floor_div(a, n) * n;
    return r >= n / 2 ? r - n : r;
}

/* TFLite's double rounding: ties up at bit 31, then away from zero at the shift. */
inline wide requant_twice(wide acc, wide m, int s)
{
    wide x = wrap(s > 0 ? acc * power2(s) : acc, 32), high = nearest_up(x * m, power2(31));
    return nearest_away(high, s < 0 ? power2(-s) : 1);
}

inline wide requant_once(wide acc, wide m, int s) { return nearest_up(acc * m, power2(31 - s)); }

/* 64-bit accumulator, 15-bit multiplier. */
inline wide requant_wide(wide acc, wide m, int s)
{
    wide small = m < 0x7FFF0000 ? nearest_up(m, 65536) : 0x7FFF;
    return wrap(nearest_up(acc * small, power2(15 - s)), 32);
}

/* The same with the bit before the last cut to 32 bits (CMSIS-NN). */
inline wide requant_wide_halved(wide acc, wide m, int s)
{
    wide small = m < 0x7FFF0000 ? nearest_up(m, 65536) : 0x7FFF;
    return floor_div(wrap(wrap(floor_div(acc * small, power2(14 - s)), 32) + 1, 32), 2);
}

/* Ties up both times (ruy). */
inline wide requant_up(wide acc, wide m, int s)
{
    wide x = wrap(s > 0 ? acc * power2(s) : acc, 32);
    return nearest_up(nearest_up(x * m, power2(31)), s < 0 ? power2(-s) : 1);
}

/* Helium, single rounding: the high product truncated, then at least one bit rounded up. `predicated` rounds the product too. */
inline wide requant_mve(wide acc, wide m, int s, bool predicated)
{
    int right = -s > 1 ? -s : 1;
    wide x = wrap(acc * power2(s + right), 32) * m, high = predicated ? nearest_up(x, power2(31)) : floor_div(x, power2(31));
    return nearest_up(high, power2(right));
}

/* CMix-NN: floor, floor. n < 0 shifts left first. */
inline wide requant_floor(wide acc, wide m, int n)
{
    return floor_div(floor_div(wrap(n < 0 ? acc * power2(-n) : acc, 32) * m, power2(32)), n > 0 ? power2(n) : 1);
}

} // namespace oracle

#endif
