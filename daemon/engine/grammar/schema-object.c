/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Objects of a JSON Schema: the properties that have a name, in the order in which the schema names them, then others.
 */
#include "grammar/schema-private.h"

#include <string.h>

#define NAMES_MAX    2048
#define PATTERNS_MAX 6
#define CELLS_MAX    200000 /* names times counts */

typedef struct {
  const char *name;
  gsize n_bytes;
  WlyJsonId at; /* where it is named */
  gboolean required;
  gboolean never;
  WlyRule value;
} Name;

/* Keys without a name of their own: those that match a set of patterns. */
typedef struct {
  WlyDfa *keys; /* NULL: any */
  WlyRule value;
} Others;

typedef struct {
  WlySchema *schema;
  const GArray *items;
  GArray *names;      /* Name */
  GHashTable *places; /* name: place in `names` + 1 */
  GArray *patterns;   /* WlyJsonId: members of patternProperties */
  GPtrArray *dfas;    /* WlyDfa of those */
  GArray *others;     /* Others */
  GPtrArray *seen;    /* GArray for each schema with unevaluatedProperties: what that one sees; NULL for others */
  WlyDfa *allowed;    /* of propertyNames; NULL: any */
  WlyDfa *writable;   /* in the form of members; NULL: any */
  GArray *ids;        /* what applies to a value */
  guint32 min, max;
  gboolean impossible;
} Object;

static Name *
name_of (const Object *object, guint i)
{
  return &g_array_index (object->names, Name, i);
}

/* ---- what the list says ---- */

static void
add_name (Object *object, WlyJsonId at, const char *text, gsize n_bytes, gboolean required)
{
  Name name   = { .name = text, .n_bytes = n_bytes, .at = at };
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (object->places, text));

  if (strlen (text) != n_bytes) {
    wly_schema_fail (object->schema, at, "a name with a NUL in it is not supported");
    return;
  }
  if (place == 0) {
    if (object->names->len >= NAMES_MAX) {
      wly_schema_fail (object->schema, at, "an object has more than 2048 names");
      return;
    }
    g_array_append_val (object->names, name);
    place = object->names->len;
    g_hash_table_insert (object->places, (gpointer)text, GUINT_TO_POINTER (place));
  }
  name_of (object, place - 1)->required |= required;
}

static void
read_names (Object *object)
{
  WlyJson *json = object->schema->json;
  gsize n_bytes;

  for (guint i = 0; i < object->items->len; i++) {
    WlyJsonId named = wly_schema_get (object->schema, wly_schema_item (object->items, i), "properties");

    for (WlyJsonId at = named != 0 ? wly_json_get (json, named)->first : 0; at != 0;
         at           = wly_json_get (json, at)->next) {
      const char *text = wly_json_key (json, at, &n_bytes);

      add_name (object, at, text, n_bytes, FALSE);
    }
  }
  for (guint i = 0; i < object->items->len; i++) {
    WlyJsonId list = wly_schema_get (object->schema, wly_schema_item (object->items, i), "required");

    for (WlyJsonId at = list != 0 ? wly_json_get (json, list)->first : 0; at != 0; at = wly_json_get (json, at)->next) {
      const char *text = wly_json_text (json, at, &n_bytes);

      add_name (object, at, text, n_bytes, TRUE);
    }
  }
}

static void
read_limits (Object *object)
{
  for (guint i = 0; i < object->items->len; i++) {
    const WlySchemaItem *item = wly_schema_item (object->items, i);
    guint32 count;

    if (wly_schema_get_count (object->schema, item, "minProperties", &count))
      object->min = MAX (object->min, count);
    if (wly_schema_get_count (object->schema, item, "maxProperties", &count))
      object->max = MIN (object->max, count);
  }
}

static void
read_patterns (Object *object)
{
  WlySchema *schema = object->schema;
  gsize n_bytes;

  for (guint i = 0; i < object->items->len; i++) {
    WlyJsonId named = wly_schema_get (schema, wly_schema_item (object->items, i), "patternProperties");

    for (WlyJsonId at = named != 0 ? wly_json_get (schema->json, named)->first : 0; at != 0 && schema->error == NULL;
         at           = wly_json_get (schema->json, at)->next) {
      const char *text = wly_json_key (schema->json, at, &n_bytes);
      WlyDfa *dfa      = wly_schema_pattern (schema, at, text, n_bytes, WLY_LANGUAGE_PART);

      if (dfa == NULL)
        return;
      g_array_append_val (object->patterns, at);
      g_ptr_array_add (object->dfas, dfa);
      if (object->dfas->len > PATTERNS_MAX)
        wly_schema_fail (schema, named, "more than 6 patterns for the names of one object");
    }
  }
}

static void
free_seen (gpointer seen)
{
  if (seen != NULL)
    g_array_unref (seen);
}

static void
read_seen (Object *object)
{
  for (guint i = 0; i < object->items->len; i++) {
    const WlySchemaItem *item = wly_schema_item (object->items, i);
    gboolean leaves_over      = wly_schema_get (object->schema, item, "unevaluatedProperties") != 0;

    g_ptr_array_add (object->seen,
                     leaves_over ? wly_schema_logic_seen (object->schema, item, "unevaluatedProperties") : NULL);
  }
}

/* Names that propertyNames allows. */
static void
read_allowed (Object *object)
{
  WlySchema *schema = object->schema;

  for (guint i = 0; i < object->items->len && schema->error == NULL; i++) {
    WlyJsonId at             = wly_schema_get (schema, wly_schema_item (object->items, i), "propertyNames");
    g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (WlySchemaItem));
    WlySchemaItem item       = { at, 0 };

    if (at == 0)
      continue;
    g_array_append_val (items, item);
    if (!wly_schema_flatten (schema, items) || (wly_schema_types (schema, items) & WLY_SCHEMA_STRING) == 0) {
      object->max = 0;
      continue;
    }
    for (guint k = 0; k < items->len; k++)
      for (guint word = 0; word < 4; word++) {
        static const char *const words[] = { "const", "enum", "anyOf", "oneOf" };
        WlyJsonId found                  = wly_schema_get (schema, wly_schema_item (items, k), words[word]);

        if (found != 0)
          wly_schema_fail (schema, found, "within propertyNames only lengths, patterns and formats are supported");
      }
    object->allowed = wly_schema_both (schema, at, object->allowed, wly_schema_string_texts (schema, items, TRUE));
  }
}

/* ---- values ---- */

/* Whether a schema that @seen is of says something of a name, or (NULL) of others with the patterns of @which. */
static gboolean
is_seen (const Object *object, const GArray *seen, const char *name, gsize n_bytes, guint which)
{
  WlySchema *schema = object->schema;

  for (guint i = 0; i < seen->len; i++) {
    const WlySchemaItem *item = wly_schema_item (seen, i);
    WlyJsonId named           = wly_schema_get (schema, item, "properties");
    WlyJsonId patterned       = wly_schema_get (schema, item, "patternProperties");

    if (wly_schema_get (schema, item, "additionalProperties") != 0
        || (name != NULL && named != 0 && wly_json_find_bytes (schema->json, named, name, n_bytes) != 0))
      return TRUE;
    for (guint p = 0; p < object->patterns->len && patterned != 0; p++)
      if ((which >> p & 1) != 0
          && wly_json_get (schema->json, g_array_index (object->patterns, WlyJsonId, p))->parent == patterned)
        return TRUE;
  }
  return FALSE;
}

/* What schema @i says of a name, or (NULL) of others with the patterns of @which. */
static void
add_schemas (Object *object, guint i, const char *name, gsize n_bytes, guint which, gboolean *ret_never)
{
  WlySchema *schema     = object->schema;
  WlyJsonId named       = wly_schema_get (schema, wly_schema_item (object->items, i), "properties");
  WlyJsonId patterned   = wly_schema_get (schema, wly_schema_item (object->items, i), "patternProperties");
  WlyJsonId additional  = wly_schema_get (schema, wly_schema_item (object->items, i), "additionalProperties");
  WlyJsonId unevaluated = wly_schema_get (schema, wly_schema_item (object->items, i), "unevaluatedProperties");
  WlyJsonId own         = name != NULL ? wly_json_find_bytes (schema->json, named, name, n_bytes) : 0;
  gboolean found        = own != 0;

  if (own != 0)
    g_array_append_val (object->ids, own);
  for (guint p = 0; p < object->patterns->len; p++) {
    WlyJsonId at = g_array_index (object->patterns, WlyJsonId, p);

    if (wly_json_get (schema->json, at)->parent != patterned || (which >> p & 1) == 0)
      continue;
    g_array_append_val (object->ids, at);
    found = TRUE;
  }
  if (!found && additional != 0)
    g_array_append_val (object->ids, additional);
  if (unevaluated != 0 && object->seen->pdata[i] != NULL
      && !is_seen (object, object->seen->pdata[i], name, n_bytes, which))
    g_array_append_val (object->ids, unevaluated);
  for (guint k = 0; k < object->ids->len; k++)
    *ret_never |= wly_json_kind (schema->json, g_array_index (object->ids, WlyJsonId, k)) == WLY_JSON_FALSE;
}

static void
make_value (Object *object, const char *name, gsize n_bytes, guint which, gboolean *ret_never, WlyRule *ret_rule)
{
  *ret_never = FALSE;
  g_array_set_size (object->ids, 0);
  for (guint i = 0; i < object->items->len; i++)
    add_schemas (object, i, name, n_bytes, which, ret_never);
  if (*ret_never)
    return;
  if (object->schema->form == WLY_SCHEMA_MEMBERS && object->schema->members->raw && name != NULL
      && wly_schema_members_is_text (object->schema, name, n_bytes))
    *ret_rule = wly_schema_rule_of_form (object->schema, object->ids, WLY_SCHEMA_RAW);
  else
    *ret_rule = wly_schema_rule (object->schema, object->ids);
}

static void
make_names (Object *object)
{
  for (guint i = 0; i < object->names->len; i++) {
    Name *name  = name_of (object, i);
    guint which = 0;

    for (guint p = 0; p < object->dfas->len; p++)
      if (wly_dfa_accepts (object->dfas->pdata[p], name->name, name->n_bytes))
        which |= 1u << p;
    make_value (object, name->name, name->n_bytes, which, &name->never, &name->value);
    if (object->allowed != NULL && !wly_dfa_accepts (object->allowed, name->name, name->n_bytes))
      name->never = TRUE;
    object->impossible |= name->never && name->required;
    if (object->writable != NULL && !wly_dfa_accepts (object->writable, name->name, name->n_bytes))
      wly_schema_fail (object->schema, name->at, "the model's calls cannot have an argument of this name");
  }
}

/* All keys but those that have a name; NULL: all keys, or an error. */
static WlyDfa *
unnamed_keys (Object *object)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (WlyDfa) named    = NULL;
  WlyDfa *all, *keys;

  if (object->names->len == 0)
    return NULL;
  for (guint i = 0; i < object->names->len; i++)
    g_ptr_array_add (texts, (gpointer)name_of (object, i)->name);
  named = wly_dfa_new_texts (texts);
  all   = wly_dfa_new_length (0, WLY_AUTOMATON_ENDLESS);
  keys  = named != NULL ? wly_dfa_combine (all, named, TRUE) : NULL;
  wly_dfa_free (all);
  if (keys != NULL)
    wly_schema_count_work (object->schema, name_of (object, 0)->at, named);
  if (keys == NULL)
    wly_schema_fail (object->schema, name_of (object, 0)->at,
                     "so many names together with additional ones are too large; set additionalProperties to false");
  return keys;
}

/* The keys that match exactly the patterns of @which. */
static WlyDfa *
matching_keys (Object *object, WlyDfa *keys, guint which)
{
  for (guint p = 0; p < object->dfas->len; p++) {
    WlyDfa *pattern = object->dfas->pdata[p];
    WlyDfa *before  = keys != NULL ? keys : wly_dfa_new_length (0, WLY_AUTOMATON_ENDLESS);

    keys = wly_dfa_combine (before, pattern, (which >> p & 1) == 0);
    wly_dfa_free (before);
    if (keys == NULL) {
      wly_schema_fail (object->schema, g_array_index (object->patterns, WlyJsonId, p),
                       "together with the other names it is too large");
      return NULL;
    }
  }
  return keys;
}

/* Those of some keys (NULL: any) that are of others, too; NULL with an error. */
static WlyDfa *
keep_keys (Object *object, WlyDfa *keys, const WlyDfa *others, const char *failure)
{
  WlyDfa *all  = keys != NULL ? keys : wly_dfa_new_length (0, WLY_AUTOMATON_ENDLESS);
  WlyDfa *kept = wly_dfa_combine (all, others, FALSE);

  wly_dfa_free (all);
  if (kept == NULL)
    wly_schema_fail (object->schema, WLY_JSON_ROOT, "%s", failure);
  return kept;
}

static void
make_others (Object *object)
{
  WlySchema *schema = object->schema;

  for (guint which = 0; which < 1u << object->dfas->len && schema->error == NULL; which++) {
    Others others = { 0 };
    gboolean never;

    make_value (object, NULL, 0, which, &never, &others.value);
    if (never)
      continue;
    others.keys = unnamed_keys (object);
    if (schema->error == NULL)
      others.keys = matching_keys (object, others.keys, which);
    if (object->allowed != NULL && schema->error == NULL)
      others.keys = keep_keys (object, others.keys, object->allowed, "its propertyNames are too large");
    if (object->writable != NULL && schema->error == NULL)
      others.keys = keep_keys (object, others.keys, object->writable, "its names are too large");
    if (schema->error != NULL || (others.keys != NULL && wly_dfa_is_empty (others.keys)))
      wly_dfa_free (others.keys);
    else
      g_array_append_val (object->others, others);
  }
}

/* ---- into the grammar ---- */

/* Colon and value. */
static void
add_value (WlySchema *schema, WlyState from, WlyRule value, WlyState to)
{
  wly_automaton_add_call (schema->automaton, wly_schema_sign (schema, from, ':'), value, to);
}

/* Calls a rule; gives the state behind. */
static WlyState
call (WlyAutomaton *automaton, WlyState from, WlyRule rule)
{
  WlyState behind = wly_automaton_add_state (automaton);

  wly_automaton_add_call (automaton, from, rule, behind);
  return behind;
}

static WlyState
add_comma (WlySchema *schema, WlyState from)
{
  if (schema->form == WLY_SCHEMA_MEMBERS)
    return call (schema->automaton, from, schema->members->separator);
  return wly_schema_sign (schema, from, ',');
}

/* A rule for the pair of a name, so that each is written once. */
static WlyRule
named_pair (Object *object, const Name *name)
{
  WlyAutomaton *automaton         = object->schema->automaton;
  WlyRule pair                    = wly_automaton_add_rule (automaton, NULL);
  WlyState end                    = wly_automaton_add_state (automaton);
  g_autoptr (GString) key         = g_string_new (NULL);
  const WlySchemaMembers *members = object->schema->members;
  WlyState at                     = wly_automaton_rule_start (automaton, pair);

  wly_automaton_set_final (automaton, end);
  if (object->schema->form == WLY_SCHEMA_MEMBERS) {
    at = wly_automaton_add_text (automaton, call (automaton, at, members->key_open), name->name, name->n_bytes);
    wly_automaton_add_call (automaton, call (automaton, at, members->key_close), name->value, end);
    return pair;
  }
  wly_json_write_string (key, name->name, name->n_bytes);
  at = wly_automaton_add_text (automaton, at, key->str, key->len);
  add_value (object->schema, at, name->value, end);
  return pair;
}

static WlyRule
other_pair (Object *object)
{
  WlyAutomaton *automaton = object->schema->automaton;
  WlyRule pair            = wly_automaton_add_rule (automaton, NULL);
  WlyState start          = wly_automaton_rule_start (automaton, pair);
  WlyState end            = wly_automaton_add_state (automaton);

  for (guint i = 0; i < object->others->len; i++) {
    const Others *others = &g_array_index (object->others, Others, i);
    WlyState behind      = wly_automaton_add_state (automaton);

    if (object->schema->form == WLY_SCHEMA_MEMBERS) {
      wly_dfa_emit (others->keys, automaton, call (automaton, start, object->schema->members->key_open), behind, FALSE);
      wly_automaton_add_call (automaton, call (automaton, behind, object->schema->members->key_close), others->value,
                              end);
      continue;
    }
    if (others->keys == NULL) {
      wly_automaton_add_call (automaton, start, object->schema->string, behind);
    } else {
      WlyState open  = wly_automaton_add_state (automaton);
      WlyState close = wly_automaton_add_state (automaton);

      wly_automaton_add_bytes (automaton, start, '"', '"', open);
      wly_dfa_emit (others->keys, automaton, open, close, TRUE);
      wly_automaton_add_bytes (automaton, close, '"', '"', behind);
    }
    add_value (object->schema, behind, others->value, end);
  }
  wly_automaton_set_final (automaton, end);
  return pair;
}

/* How many of the properties that were read are told apart: one tells whether a comma is due. */
static guint32
count_levels (Object *object)
{
  guint32 levels = 1;

  if (object->min > 1)
    levels = MAX (levels, object->min);
  if (object->max != WLY_AUTOMATON_ENDLESS)
    levels = MAX (levels, object->max);
  return levels;
}

/* The columns of states: [names + 1] times [levels + 1], by what is next and how many were read (the last level: so
 * many or more, where there is no upper limit). */
static void
add_properties (Object *object, WlyState from, WlyState to)
{
  WlyAutomaton *automaton     = object->schema->automaton;
  guint32 levels              = count_levels (object);
  guint32 n                   = object->names->len;
  gboolean limited            = object->max != WLY_AUTOMATON_ENDLESS;
  g_autofree WlyState *now    = g_new0 (WlyState, levels + 1);
  g_autofree WlyState *commas = g_new0 (WlyState, levels + 1);
  g_autofree WlyState *next   = g_new0 (WlyState, levels + 1);

  now[0] = from;
  for (guint32 k = 1; k <= levels; k++)
    now[k] = wly_automaton_add_state (automaton);
  for (guint32 i = 0; i < n; i++) {
    const Name *name = name_of (object, i);
    WlyRule pair     = name->never ? 0 : named_pair (object, name);

    if (name->never)
      continue;
    for (guint32 k = 0; k <= levels; k++)
      next[k] = wly_automaton_add_state (automaton);
    for (guint32 k = 0; k <= levels; k++) {
      if (!name->required)
        wly_automaton_add_empty (automaton, now[k], next[k]);
      if (limited && k >= object->max)
        continue;
      commas[k] = k > 0 ? add_comma (object->schema, now[k]) : now[k];
      wly_automaton_add_call (automaton, commas[k], pair, next[MIN (k + 1, levels)]);
    }
    memcpy (now, next, (levels + 1) * sizeof *now);
  }
  if (object->others->len > 0) {
    WlyRule pair = other_pair (object);

    for (guint32 k = 0; k <= levels; k++)
      if (!limited || k < object->max)
        wly_automaton_add_call (automaton, k > 0 ? add_comma (object->schema, now[k]) : now[k], pair,
                                now[MIN (k + 1, levels)]);
  }
  for (guint32 k = object->min; k <= levels; k++)
    wly_automaton_add_empty (automaton, now[k], to);
}

/* Others may repeat a key, so that they prove no more than one property. */
static gboolean
check_counts (Object *object)
{
  guint n = 0;

  for (guint i = 0; i < object->names->len; i++)
    n += !name_of (object, i)->never;
  if (object->others->len == 0 && object->max >= n)
    object->max = WLY_AUTOMATON_ENDLESS;
  if ((object->min > n && object->others->len == 0) || object->min > object->max)
    return FALSE;
  if (object->min > 1 && object->others->len > 0) {
    for (guint i = 0; i < object->items->len; i++) {
      WlyJsonId at = wly_schema_get (object->schema, wly_schema_item (object->items, i), "minProperties");

      if (at != 0)
        return wly_schema_fail (object->schema, at,
                                "it cannot be honoured with names that the schema does not list; "
                                "set additionalProperties to false");
    }
  }
  if ((guint64)count_levels (object) * (n + 1) > CELLS_MAX)
    return wly_schema_fail (object->schema, wly_schema_item (object->items, 0)->id,
                            "minProperties and maxProperties are too large");
  return TRUE;
}

static void
read_object (Object *object)
{
  WlySchema *schema = object->schema;

  if (schema->form == WLY_SCHEMA_MEMBERS)
    object->writable = wly_schema_members_names (schema);
  read_names (object);
  read_limits (object);
  if (schema->error == NULL)
    read_patterns (object);
  if (schema->error == NULL)
    read_seen (object);
  if (schema->error == NULL)
    read_allowed (object);
  if (schema->error == NULL)
    make_names (object);
  if (schema->error == NULL && !object->impossible)
    make_others (object);
}

static void
write_object (Object *object, WlyState from, WlyState to)
{
  WlyAutomaton *automaton = object->schema->automaton;
  WlyState open           = wly_automaton_add_state (automaton);
  WlyState end            = wly_automaton_add_state (automaton);

  if (object->schema->form == WLY_SCHEMA_MEMBERS) {
    add_properties (object, from, to);
    return;
  }
  wly_automaton_add_bytes (automaton, from, '{', '{', open);
  add_properties (object, wly_schema_space (object->schema, open), end);
  wly_automaton_add_bytes (automaton, wly_schema_space (object->schema, end), '}', '}', to);
}

void
wly_schema_object (WlySchema *schema, const GArray *items, WlyState from, WlyState to)
{
  Object object = { .schema = schema, .items = items, .max = WLY_AUTOMATON_ENDLESS };

  object.names    = g_array_new (FALSE, FALSE, sizeof (Name));
  object.places   = g_hash_table_new (g_str_hash, g_str_equal);
  object.patterns = g_array_new (FALSE, FALSE, sizeof (WlyJsonId));
  object.dfas     = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_dfa_free);
  object.seen     = g_ptr_array_new_with_free_func (free_seen);
  object.others   = g_array_new (FALSE, FALSE, sizeof (Others));
  object.ids      = g_array_new (FALSE, FALSE, sizeof (WlyJsonId));
  read_object (&object);
  if (schema->error == NULL && !object.impossible && check_counts (&object))
    write_object (&object, from, to);
  for (guint i = 0; i < object.others->len; i++)
    wly_dfa_free (g_array_index (object.others, Others, i).keys);
  wly_dfa_free (object.allowed);
  wly_dfa_free (object.writable);
  g_array_unref (object.names);
  g_hash_table_unref (object.places);
  g_array_unref (object.patterns);
  g_ptr_array_unref (object.dfas);
  g_ptr_array_unref (object.seen);
  g_array_unref (object.others);
  g_array_unref (object.ids);
}
