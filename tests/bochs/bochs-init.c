/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first and only service of a machine that Bochs emulates: runs the commands of /commands, one a line, words
 * between spaces, variables of the environment before the program as in a shell; says after each how it ended, and at
 * last that all is done.  It never returns, for its end would be the kernel's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 64

/* In the child: does not return. */
static void
execute (char *line)
{
  char *words[MAX_WORDS + 1] = { NULL }, *word;
  int n_words                = 0;

  while ((word = strsep (&line, " \n")) != NULL)
    if (word[0] == '\0')
      continue;
    else if (n_words == 0 && strchr (word, '=') != NULL)
      putenv (word);
    else if (n_words < MAX_WORDS)
      words[n_words++] = word;
  if (n_words > 0)
    execv (words[0], words);
  perror ("init: cannot run the program");
  _exit (127);
}

static void
run (char *line)
{
  const pid_t child = fork ();
  int status        = 0;

  if (child == 0)
    execute (line);
  while (child > 0 && waitpid (child, &status, 0) != child)
    continue;
  if (child < 0)
    status = 127;
  else
    status = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  printf ("init: ended with %d\n", status);
}

int
main (void)
{
  static char line[4096];
  FILE *commands;
  int serial;

  mkdir ("/proc", 0755);
  mkdir ("/sys", 0755);
  mkdir ("/dev", 0755);
  mkdir ("/tmp", 0777);
  mount ("proc", "/proc", "proc", 0, NULL);
  mount ("sysfs", "/sys", "sysfs", 0, NULL);
  mount ("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  serial = open ("/dev/ttyS0", O_RDWR | O_NOCTTY);
  for (int i = 0; i < 3 && serial >= 0; i++)
    dup2 (serial, i);
  setvbuf (stdout, NULL, _IOLBF, 0);
  printf ("init: begins\n");
  commands = fopen ("/commands", "re");
  while (commands != NULL && fgets (line, sizeof line, commands) != NULL)
    run (line);
  printf ("init: all done\n");
  for (;;)
    pause ();
}
