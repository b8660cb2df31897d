/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Filters of whatever has items.
 */
#include "template/template-eval.h"

#include <string.h>

#define FILTER(name)                                                                                                   \
  static gboolean name (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,   \
                        WlyTemplateValue *ret_value)

/* ---- attributes by path ---- */

/* The item of a path such as "function.name" or "0.id"; @fallback stands in for what is undefined, NULL: nothing. */
static gboolean
follow (WlyTemplateEval *eval, const WlyTemplateValue *item, const WlyTemplateValue *path,
        const WlyTemplateValue *fallback, WlyTemplateValue *ret_value)
{
  gsize start = 0, end;

  *ret_value = *item;
  if (path == NULL || path->kind == WLY_TEMPLATE_NONE)
    return TRUE;
  if (path->kind != WLY_TEMPLATE_TEXT)
    return wly_template_eval_item (eval, item, path, ret_value);
  for (; start <= path->text->n_bytes; start = end + 1) {
    const WlyTemplateValue left  = *ret_value;
    const WlyTemplateText *whole = path->text;
    WlyTemplateValue name;
    gint64 place = 0;
    gboolean digits;

    for (end = start; end < whole->n_bytes && whole->data[end] != '.';)
      end++;
    digits = end > start && end - start < 10;
    for (gsize i = start; i < end; i++) {
      digits = digits && g_ascii_isdigit (whole->data[i]);
      place  = digits ? place * 10 + whole->data[i] - '0' : 0;
    }
    if (digits)
      name = WLY_TEMPLATE_VALUE_INTEGER (place);
    else if (!wly_template_eval_part (eval, whole, start, end, &name))
      return FALSE;
    if (!wly_template_eval_item (eval, &left, &name, ret_value))
      return FALSE;
    if (ret_value->kind == WLY_TEMPLATE_UNDEFINED && fallback != NULL)
      *ret_value = *fallback;
  }
  return TRUE;
}

/* What sorting and comparing look at: the item at a path, in lower case unless @exact. */
static gboolean
key_of (WlyTemplateEval *eval, const WlyTemplateValue *item, const WlyTemplateValue *path,
        const WlyTemplateValue *fallback, gboolean exact, WlyTemplateValue *ret_key)
{
  if (!follow (eval, item, path, fallback, ret_key))
    return FALSE;
  return exact || ret_key->kind != WLY_TEMPLATE_TEXT
         || wly_template_case_change (eval, ret_key->text, WLY_TEMPLATE_LOWER, ret_key);
}

static gboolean
is_true (const WlyTemplateValue *value)
{
  return value != NULL && wly_template_value_truth (value);
}

/* ---- length, ends, order ---- */

FILTER (run_length)
{
  gint64 n = 0;

  if (!wly_template_arguments_bind (eval, arguments, "", NULL))
    return FALSE;
  if (value->kind == WLY_TEMPLATE_TEXT)
    n = (gint64)wly_template_value_text_length (value->text);
  else if (value->kind == WLY_TEMPLATE_LIST && value->flavour != WLY_TEMPLATE_GENERATOR)
    n = (gint64)value->items->n_items;
  else if (value->kind == WLY_TEMPLATE_DICT)
    n = (gint64)value->items->n_items / 2;
  else if (value->kind == WLY_TEMPLATE_LOOP)
    n = (gint64)value->loop->items->n_items;
  else if (value->kind != WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "a %s has no length", wly_template_value_kind_name (value));
  *ret_value = WLY_TEMPLATE_VALUE_INTEGER (n);
  return value->kind != WLY_TEMPLATE_TEXT || wly_template_eval_step (eval, value->text->n_bytes / 64);
}

FILTER (run_first)
{
  WlyTemplateItems *items;

  if (!wly_template_arguments_bind (eval, arguments, "", NULL) || !wly_template_eval_items (eval, value, &items))
    return FALSE;
  *ret_value = items->n_items == 0 ? WLY_TEMPLATE_VALUE_UNDEFINED : items->items[0];
  return TRUE;
}

FILTER (run_last)
{
  WlyTemplateItems *items;

  if (!wly_template_arguments_bind (eval, arguments, "", NULL) || !wly_template_eval_items (eval, value, &items))
    return FALSE;
  if (value->kind == WLY_TEMPLATE_LIST && value->flavour == WLY_TEMPLATE_GENERATOR)
    return wly_template_eval_fail (eval, "what a filter gives item by item has no last one; put list before");
  *ret_value = items->n_items == 0 ? WLY_TEMPLATE_VALUE_UNDEFINED : items->items[items->n_items - 1];
  return TRUE;
}

static gboolean
copy_list (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateValue *ret_value)
{
  WlyTemplateItems *items;
  WlyTemplateValue list;

  if (!wly_template_eval_items (eval, value, &items) || !wly_template_eval_new_list (eval, &list))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++)
    if (!wly_template_eval_append (eval, &list, items->items[i]))
      return FALSE;
  *ret_value = list;
  return TRUE;
}

FILTER (run_list)
{
  return wly_template_arguments_bind (eval, arguments, "", NULL) && copy_list (eval, value, ret_value);
}

FILTER (run_reverse)
{
  const WlyTemplateValue back            = WLY_TEMPLATE_VALUE_INTEGER (-1);
  const WlyTemplateValue *const parts[3] = { NULL, NULL, &back };
  WlyTemplateItems *items;

  if (!wly_template_arguments_bind (eval, arguments, "", NULL))
    return FALSE;
  if (value->kind == WLY_TEMPLATE_TEXT)
    return wly_template_operators_slice (eval, value, parts, ret_value);
  if (!copy_list (eval, value, ret_value))
    return FALSE;
  items = ret_value->items;
  for (gsize i = 0; i < items->n_items / 2; i++) {
    const WlyTemplateValue item = items->items[i];

    items->items[i]                      = items->items[items->n_items - 1 - i];
    items->items[items->n_items - 1 - i] = item;
  }
  ret_value->flavour = WLY_TEMPLATE_GENERATOR;
  return TRUE;
}

/* Merges the sorted halves [start, middle) and [middle, end) of @order, which numbers @keys. */
static gboolean
merge (WlyTemplateEval *eval, const WlyTemplateValue *keys, gboolean reverse, guint32 *order, guint32 *room,
       gsize start, gsize middle, gsize end)
{
  gsize left = start, right = middle;

  for (gsize i = start; i < end; i++) {
    int sign = 0;

    if (left < middle && right < end
        && !wly_template_operators_order (eval, &keys[order[left]], &keys[order[right]], 0, &sign))
      return FALSE;
    sign    = reverse ? -sign : sign;
    room[i] = left < middle && (right >= end || sign <= 0) ? order[left++] : order[right++];
  }
  memcpy (order + start, room + start, (end - start) * sizeof *order);
  return TRUE;
}

/* Stable, as sorted() is. */
static gboolean
sort_items (WlyTemplateEval *eval, WlyTemplateItems *items, const WlyTemplateValue *keys, gboolean reverse)
{
  const gsize n               = items->n_items;
  g_autofree guint32 *order   = g_new (guint32, n + 1);
  g_autofree guint32 *room    = g_new (guint32, n + 1);
  WlyTemplateItems *unordered = wly_template_items_new (eval->arena, n);

  if (unordered == NULL)
    return wly_template_eval_full (eval);
  for (gsize i = 0; i < n; i++) {
    order[i]            = (guint32)i;
    unordered->items[i] = items->items[i];
  }
  for (gsize width = 1; width < n; width *= 2)
    for (gsize start = 0; start + width < n; start += 2 * width)
      if (!merge (eval, keys, reverse, order, room, start, start + width, MIN (start + 2 * width, n)))
        return FALSE;
  for (gsize i = 0; i < n; i++)
    items->items[i] = unordered->items[order[i]];
  return TRUE;
}

/* Keys of all items, in a list of their own; @several: each is a list of those of a path with commas. */
static gboolean
keys_of (WlyTemplateEval *eval, const WlyTemplateItems *items, const WlyTemplateValue *path,
         const WlyTemplateValue *fallback, gboolean exact, gboolean several, WlyTemplateValue *ret_keys)
{
  WlyTemplateValue key, paths[8], part;
  guint n_paths = 0;

  if (several && path != NULL && path->kind == WLY_TEMPLATE_TEXT) {
    for (gsize start = 0, end; start <= path->text->n_bytes && n_paths < G_N_ELEMENTS (paths); start = end + 1) {
      for (end = start; end < path->text->n_bytes && path->text->data[end] != ',';)
        end++;
      if (!wly_template_eval_part (eval, path->text, start, end, &paths[n_paths++]))
        return FALSE;
    }
  } else if (several) {
    paths[n_paths++] = path != NULL ? *path : WLY_TEMPLATE_VALUE_NONE;
  }
  if (!wly_template_eval_new_list (eval, ret_keys))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++) {
    if (n_paths == 0 ? !key_of (eval, &items->items[i], path, fallback, exact, &key)
                     : !wly_template_eval_new_list (eval, &key))
      return FALSE;
    for (guint j = 0; j < n_paths; j++)
      if (!key_of (eval, &items->items[i], &paths[j], fallback, exact, &part)
          || !wly_template_eval_append (eval, &key, part))
        return FALSE;
    if (!wly_template_eval_append (eval, ret_keys, key))
      return FALSE;
  }
  return TRUE;
}

FILTER (run_sort)
{
  const WlyTemplateValue *given[3];
  WlyTemplateValue list, keys;

  if (!wly_template_arguments_bind (eval, arguments, "reverse case_sensitive attribute", given)
      || !copy_list (eval, value, &list) || !keys_of (eval, list.items, given[2], NULL, is_true (given[1]), TRUE, &keys)
      || !sort_items (eval, list.items, keys.items->items, is_true (given[0])))
    return FALSE;
  *ret_value = list;
  return TRUE;
}

static gboolean
pairs_of (WlyTemplateEval *eval, const WlyTemplateValue *dict, WlyTemplateValue *ret_value)
{
  WlyTemplateValue pair;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = 0; i < dict->items->n_items; i += 2)
    if (!wly_template_eval_new_pair (eval, dict->items->items[i], dict->items->items[i + 1], &pair)
        || !wly_template_eval_append (eval, ret_value, pair))
      return FALSE;
  return TRUE;
}

FILTER (run_dictsort)
{
  const WlyTemplateValue *given[3];
  WlyTemplateValue list, keys, place = WLY_TEMPLATE_VALUE_INTEGER (0);

  if (!wly_template_arguments_bind (eval, arguments, "case_sensitive by reverse", given))
    return FALSE;
  if (value->kind != WLY_TEMPLATE_DICT)
    return wly_template_eval_fail (eval, "a %s has no items", wly_template_value_kind_name (value));
  if (given[1] != NULL) {
    if (given[1]->kind != WLY_TEMPLATE_TEXT
        || (!wly_template_text_is (given[1]->text, "key") && !wly_template_text_is (given[1]->text, "value")))
      return wly_template_eval_fail (eval, "dictsort sorts by key or by value");
    place.integer = given[1]->text->data[0] == 'v';
  }
  if (!pairs_of (eval, value, &list) || !keys_of (eval, list.items, &place, NULL, is_true (given[0]), FALSE, &keys)
      || !sort_items (eval, list.items, keys.items->items, is_true (given[2])))
    return FALSE;
  *ret_value = list;
  return TRUE;
}

FILTER (run_items)
{
  if (!wly_template_arguments_bind (eval, arguments, "", NULL))
    return FALSE;
  if (value->kind == WLY_TEMPLATE_UNDEFINED) {
    if (!wly_template_eval_new_list (eval, ret_value))
      return FALSE;
  } else if (value->kind != WLY_TEMPLATE_DICT) {
    return wly_template_eval_fail (eval, "a %s has no items", wly_template_value_kind_name (value));
  } else if (!pairs_of (eval, value, ret_value)) {
    return FALSE;
  }
  ret_value->flavour = WLY_TEMPLATE_GENERATOR;
  return TRUE;
}

static gboolean
extreme (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments, int wanted,
         WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *given[2];
  WlyTemplateItems *items;
  WlyTemplateValue keys;
  gsize best = 0;
  int order;

  if (!wly_template_arguments_bind (eval, arguments, "case_sensitive attribute", given)
      || !wly_template_eval_items (eval, value, &items)
      || !keys_of (eval, items, given[1], NULL, is_true (given[0]), FALSE, &keys))
    return FALSE;
  for (gsize i = 1; i < items->n_items; i++) {
    if (!wly_template_operators_order (eval, &keys.items->items[i], &keys.items->items[best], 0, &order))
      return FALSE;
    if (order * wanted > 0)
      best = i;
  }
  *ret_value = items->n_items == 0 ? WLY_TEMPLATE_VALUE_UNDEFINED : items->items[best];
  return TRUE;
}

FILTER (run_min)
{
  return extreme (eval, value, arguments, -1, ret_value);
}

FILTER (run_max)
{
  return extreme (eval, value, arguments, 1, ret_value);
}

FILTER (run_unique)
{
  const WlyTemplateValue *given[2];
  WlyTemplateItems *items;
  WlyTemplateValue keys, seen;

  if (!wly_template_arguments_bind (eval, arguments, "case_sensitive attribute", given)
      || !wly_template_eval_items (eval, value, &items)
      || !keys_of (eval, items, given[1], NULL, is_true (given[0]), FALSE, &keys)
      || !wly_template_eval_new_list (eval, &seen) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++) {
    const WlyTemplateValue *key = &keys.items->items[i];
    gboolean known              = FALSE;
    guint64 n_steps             = 0;

    if (!wly_template_value_is_key (key))
      return wly_template_eval_fail (eval, "a %s has no place in a set", wly_template_value_kind_name (key));
    for (gsize j = 0; j < seen.items->n_items && !known; j++)
      known = wly_template_value_equal (key, &seen.items->items[j], 0, &n_steps);
    if (!wly_template_eval_step (eval, n_steps))
      return FALSE;
    if (!known
        && (!wly_template_eval_append (eval, &seen, *key)
            || !wly_template_eval_append (eval, ret_value, items->items[i])))
      return FALSE;
  }
  ret_value->flavour = WLY_TEMPLATE_GENERATOR;
  return TRUE;
}

/* ---- all items together ---- */

FILTER (run_join)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  const WlyTemplateText *separator    = NULL, *text;
  const WlyTemplateValue *given[2];
  WlyTemplateItems *items;
  WlyTemplateValue item;

  if (!wly_template_arguments_bind (eval, arguments, "d attribute", given)
      || (given[0] != NULL && !wly_template_repr_text (eval, given[0], &separator))
      || !wly_template_eval_items (eval, value, &items))
    return FALSE;
  wly_template_builder_init (&builder);
  for (gsize i = 0; i < items->n_items; i++) {
    if (i > 0 && separator != NULL)
      wly_template_builder_append_part (&builder, separator, 0, separator->n_bytes);
    if (!follow (eval, &items->items[i], given[1], NULL, &item) || !wly_template_repr_text (eval, &item, &text)
        || !wly_template_eval_step (eval, 1 + text->n_bytes / 64))
      return FALSE;
    wly_template_builder_append_part (&builder, text, 0, text->n_bytes);
    if (builder.bytes->len > WLY_TEMPLATE_MAX_MEMORY)
      return wly_template_eval_full (eval);
  }
  return wly_template_eval_finish (eval, &builder, ret_value);
}

FILTER (run_sum)
{
  const WlyTemplateValue *given[2];
  WlyTemplateItems *items;
  WlyTemplateValue sum = WLY_TEMPLATE_VALUE_INTEGER (0), item;

  if (!wly_template_arguments_bind (eval, arguments, "attribute start", given)
      || !wly_template_eval_items (eval, value, &items))
    return FALSE;
  if (given[1] != NULL)
    sum = *given[1];
  if (sum.kind == WLY_TEMPLATE_TEXT)
    return wly_template_eval_fail (eval, "texts are joined, not summed up");
  for (gsize i = 0; i < items->n_items; i++) {
    const WlyTemplateValue left = sum;

    if (!follow (eval, &items->items[i], given[0], NULL, &item)
        || !wly_template_operators_binary (eval, WLY_TEMPLATE_OPERATOR ('+', 0), &left, &item, &sum))
      return FALSE;
  }
  *ret_value = sum;
  return TRUE;
}

/* ---- groups ---- */

/* Adds @item to the list that is the last of @lists; a new one first where @fresh. */
static gboolean
append_grouped (WlyTemplateEval *eval, WlyTemplateValue *lists, gboolean fresh, WlyTemplateValue item)
{
  WlyTemplateValue list;

  if (fresh && (!wly_template_eval_new_list (eval, &list) || !wly_template_eval_append (eval, lists, list)))
    return FALSE;
  return wly_template_eval_append (eval, &lists->items->items[lists->items->n_items - 1], item);
}

FILTER (run_groupby)
{
  const WlyTemplateValue *given[3];
  WlyTemplateValue list, keys, lists, group, key;
  WlyTemplateItems *sorted_keys;
  guint64 n_steps = 0;

  if (!wly_template_arguments_bind (eval, arguments, "attribute/default case_sensitive", given)
      || !copy_list (eval, value, &list)
      || !keys_of (eval, list.items, given[0], given[1], is_true (given[2]), FALSE, &keys)
      || !sort_items (eval, list.items, keys.items->items, FALSE)
      || !keys_of (eval, list.items, given[0], given[1], is_true (given[2]), FALSE, &keys)
      || !wly_template_eval_new_list (eval, &lists) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  sorted_keys = keys.items;
  for (gsize i = 0; i < list.items->n_items; i++) {
    const gboolean fresh =
        i == 0 || !wly_template_value_equal (&sorted_keys->items[i - 1], &sorted_keys->items[i], 0, &n_steps);

    if (!append_grouped (eval, &lists, fresh, list.items->items[i]))
      return FALSE;
  }
  for (gsize i = 0; i < lists.items->n_items; i++) {
    if (!key_of (eval, &lists.items->items[i].items->items[0], given[0], given[1], TRUE, &key)
        || !wly_template_eval_new_pair (eval, key, lists.items->items[i], &group))
      return FALSE;
    group.flavour = WLY_TEMPLATE_GROUP;
    if (!wly_template_eval_append (eval, ret_value, group))
      return FALSE;
  }
  return wly_template_eval_step (eval, n_steps);
}

FILTER (run_batch)
{
  const WlyTemplateValue *given[2];
  WlyTemplateItems *items;
  gint64 n;

  if (!wly_template_arguments_bind (eval, arguments, "linecount/fill_with", given)
      || !wly_template_eval_items (eval, value, &items) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  if (!wly_template_value_integer (given[0], &n) || n < 1)
    return wly_template_eval_fail (eval, "batch needs a whole number");
  for (gsize i = 0; i < items->n_items; i++)
    if (!append_grouped (eval, ret_value, i % (gsize)n == 0, items->items[i]))
      return FALSE;
  while (given[1] != NULL && given[1]->kind != WLY_TEMPLATE_NONE && ret_value->items->n_items > 0
         && ret_value->items->items[ret_value->items->n_items - 1].items->n_items < (gsize)n)
    if (!append_grouped (eval, ret_value, FALSE, *given[1]))
      return FALSE;
  ret_value->flavour = WLY_TEMPLATE_GENERATOR;
  return TRUE;
}

FILTER (run_slice)
{
  const WlyTemplateValue *given[2];
  WlyTemplateItems *items;
  gsize place = 0, per_slice, n_more;
  gint64 n;

  if (!wly_template_arguments_bind (eval, arguments, "slices/fill_with", given)
      || !wly_template_eval_items (eval, value, &items) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  if (!wly_template_value_integer (given[0], &n) || n < 1 || n > WLY_TEMPLATE_MAX_RANGE)
    return wly_template_eval_fail (eval, "slice needs a whole number");
  per_slice = items->n_items / (gsize)n;
  n_more    = items->n_items % (gsize)n;
  for (gsize i = 0; i < (gsize)n; i++) {
    const gsize size = per_slice + (i < n_more);
    WlyTemplateValue list;

    if (!wly_template_eval_new_list (eval, &list) || !wly_template_eval_append (eval, ret_value, list))
      return FALSE;
    for (gsize j = 0; j < size; j++)
      if (!append_grouped (eval, ret_value, FALSE, items->items[place++]))
        return FALSE;
    if (given[1] != NULL && given[1]->kind != WLY_TEMPLATE_NONE && i >= n_more
        && !append_grouped (eval, ret_value, FALSE, *given[1]))
      return FALSE;
  }
  ret_value->flavour = WLY_TEMPLATE_GENERATOR;
  return TRUE;
}

/* ---- filters and tests of each item ---- */

/* Arguments from @first on. */
static WlyTemplateArguments
rest_of (const WlyTemplateArguments *arguments, guint first)
{
  WlyTemplateArguments rest = { .n = 0 };

  for (guint i = first; i < arguments->n; i++) {
    rest.names[rest.n]    = arguments->names[i];
    rest.values[rest.n++] = arguments->values[i];
  }
  return rest;
}

/* The name of a filter or a test, an argument by place; NULL: there is none. */
static gboolean
take_name (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, guint place, char **ret_name)
{
  const WlyTemplateText *text;

  *ret_name = NULL;
  if (place >= arguments->n || arguments->names[place] != NULL)
    return TRUE;
  if (!wly_template_repr_text (eval, &arguments->values[place], &text))
    return FALSE;
  *ret_name = g_strndup (text->data, text->n_bytes);
  return TRUE;
}

/* Keeps the items that pass (or fail, with @reject) a test, of an attribute of theirs with @by_attribute. */
static gboolean
choose (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
        gboolean by_attribute, gboolean reject, WlyTemplateValue *ret_value)
{
  const guint n_skip        = by_attribute ? 2 : 1;
  WlyTemplateArguments rest = rest_of (arguments, n_skip);
  g_autofree char *name     = NULL;
  WlyTemplateItems *items   = NULL;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->flavour = WLY_TEMPLATE_GENERATOR;
  if (!wly_template_value_truth (value))
    return TRUE;
  if (by_attribute && (arguments->n == 0 || arguments->names[0] != NULL))
    return wly_template_eval_fail (eval, "the name of an attribute is missing");
  if (!take_name (eval, arguments, n_skip - 1, &name) || !wly_template_eval_items (eval, value, &items))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++) {
    WlyTemplateValue item;
    gboolean result;

    if (!follow (eval, &items->items[i], by_attribute ? &arguments->values[0] : NULL, NULL, &item))
      return FALSE;
    result = wly_template_value_truth (&item);
    if (name != NULL && !wly_template_tests_run (eval, name, &item, &rest, &result))
      return FALSE;
    if (result != reject && !wly_template_eval_append (eval, ret_value, items->items[i]))
      return FALSE;
  }
  return TRUE;
}

FILTER (run_select)
{
  return choose (eval, value, arguments, FALSE, FALSE, ret_value);
}

FILTER (run_reject)
{
  return choose (eval, value, arguments, FALSE, TRUE, ret_value);
}

FILTER (run_selectattr)
{
  return choose (eval, value, arguments, TRUE, FALSE, ret_value);
}

FILTER (run_rejectattr)
{
  return choose (eval, value, arguments, TRUE, TRUE, ret_value);
}

/* One item of map: an attribute of it (@name is NULL), or what a filter makes of it. */
static gboolean
map_item (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *const *given, const WlyTemplateValue *item,
          const WlyTemplateArguments *rest, WlyTemplateValue *ret_value)
{
  gboolean done;

  if (name == NULL)
    return follow (eval, item, given[0], given[1], ret_value);
  if (!wly_template_eval_nest (eval))
    return FALSE;
  done = wly_template_filters_run (eval, name, item, rest, ret_value);
  eval->n_nested--;
  return done;
}

FILTER (run_map)
{
  const WlyTemplateValue *given[2] = { NULL, NULL };
  WlyTemplateArguments rest        = rest_of (arguments, 1);
  g_autofree char *name            = NULL;
  WlyTemplateItems *items;
  WlyTemplateValue item;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->flavour = WLY_TEMPLATE_GENERATOR;
  if (!wly_template_value_truth (value))
    return TRUE;
  if (!take_name (eval, arguments, 0, &name))
    return FALSE;
  if (name == NULL && !wly_template_arguments_bind (eval, arguments, "attribute/default", given))
    return FALSE;
  if (!wly_template_eval_items (eval, value, &items))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++)
    if (!map_item (eval, name, given, &items->items[i], &rest, &item)
        || !wly_template_eval_append (eval, ret_value, item))
      return FALSE;
  return TRUE;
}

const WlyTemplateRow *
wly_template_filters_list_find (const char *name)
{
  static const WlyTemplateRow filters[] = {
    { "batch", run_batch },     { "count", run_length },    { "dictsort", run_dictsort },
    { "first", run_first },     { "groupby", run_groupby }, { "items", run_items },
    { "join", run_join },       { "last", run_last },       { "length", run_length },
    { "list", run_list },       { "map", run_map },         { "max", run_max },
    { "min", run_min },         { "reject", run_reject },   { "rejectattr", run_rejectattr },
    { "reverse", run_reverse }, { "select", run_select },   { "selectattr", run_selectattr },
    { "slice", run_slice },     { "sort", run_sort },       { "sum", run_sum },
    { "unique", run_unique },
  };

  return wly_template_eval_row (filters, G_N_ELEMENTS (filters), name);
}
