/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether this is a build for a sanitizer, whose run-time library needs more of the system than a process of ours
 * does, and more time.
 */
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WLY_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WLY_SANITIZED 1
#endif
#endif

#ifndef WLY_SANITIZED
#define WLY_SANITIZED 0
#endif
