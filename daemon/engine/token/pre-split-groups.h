/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stages that cut digits into threes from the right, and what chameleon writes for images.
 */
#pragma once

#include "token/pre-split.h"

G_BEGIN_DECLS

/* [^\p{N}]*\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})): 1234567 is 1, 234, 567.  This is what the field makes of the published
 * \d{1,3}(?=(?:\d{3})*\b): what stands before a number stays with its first digits. */
gsize wly_pre_split_groups_numbers (WlyScan *scan, gsize start, gconstpointer rules);
/* (?=(\d{3})+(?!\d)), in ASCII digits: cuts before each three that only threes follow. */
gsize wly_pre_split_groups_digits (WlyScan *scan, gsize start, gconstpointer rules);

/* <sentinel:[0-9]+> */
gsize wly_pre_split_groups_sentinel (WlyScan *scan, gsize start, gconstpointer rules);
/* (IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z */
gsize wly_pre_split_groups_image (WlyScan *scan, gsize start, gconstpointer rules);
/* ([\t\n]|    |  ) */
gsize wly_pre_split_groups_tabs (WlyScan *scan, gsize start, gconstpointer rules);

G_END_DECLS
