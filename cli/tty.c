/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "process.h"
#include "tty.h"

/* A descriptor of the caller's own, or -1. */
static int
ask_fd(void)
{
	if (isatty(STDIN_FILENO) == 1)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool
tty_can_ask(void)
{
	int fd = ask_fd();

	if (fd == -1)
		return false;
	(void)close(fd);
	return true;
}

static void
put(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* One line into out; what does not fit is read and dropped. */
static enum tty_result
read_line(int fd, const struct tty_waiter *waiter, char *out, size_t size)
{
	size_t len = 0;
	bool dropped = false;

	for (;;) {
		char c;
		ssize_t n;

		if (waiter->wait(waiter->arg, fd) == WAIT_STOPPED)
			return TTY_STOPPED;
		n = read(fd, &c, 1);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return TTY_END;
		if (c == '\n')
			break;
		if (len + 1 < size)
			out[len++] = c;
		else
			dropped = true;
	}
	out[len] = '\0';
	return dropped ? TTY_TOO_LONG : TTY_OK;
}

static bool
echo_off(int fd, struct termios *saved)
{
	struct termios quiet;

	if (tcgetattr(fd, saved) != 0)
		return false;
	quiet = *saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
	quiet.c_lflag |= ECHONL;
	return tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
}

enum tty_result
tty_line_with(const char *prompt, bool echo, const struct tty_waiter *waiter,
    char *out, size_t size)
{
	struct termios saved;
	enum tty_result result;
	int fd = ask_fd();

	if (fd == -1)
		return TTY_NONE;
	(void)fflush(stdout);
	if (!echo && !echo_off(fd, &saved)) {
		(void)close(fd);
		return TTY_NONE;
	}
	/* What was typed before a question is no answer to it. */
	(void)tcflush(fd, TCIFLUSH);
	put(fd, prompt);
	result = read_line(fd, waiter, out, size);
	if (!echo)
		(void)tcsetattr(fd, TCSAFLUSH, &saved);
	if (result != TTY_OK && result != TTY_TOO_LONG)
		put(fd, "\n");
	(void)close(fd);
	if (result != TTY_OK)
		tty_wipe(out, size);
	return result;
}

static enum process_wait
wait_for_stop(void *arg, int fd)
{
	return process_wait(fd, *(const int *)arg, -1);
}

enum tty_result
tty_line(const char *prompt, bool echo, int stop_fd, char *out, size_t size)
{
	const struct tty_waiter waiter = {
	    .wait = wait_for_stop, .arg = &stop_fd};

	return tty_line_with(prompt, echo, &waiter, out, size);
}

enum tty_result
tty_confirm(const char *question, int stop_fd, bool *ret_yes)
{
	char answer[8], prompt[256];
	enum tty_result result;

	(void)snprintf(prompt, sizeof prompt, "%s [y/N] ", question);
	result = tty_line(prompt, true, stop_fd, answer, sizeof answer);
	if (result == TTY_OK)
		*ret_yes = strcasecmp(answer, "y") == 0 ||
			   strcasecmp(answer, "yes") == 0;
	else if (result == TTY_TOO_LONG)
		*ret_yes = false;
	else
		return result;
	return TTY_OK;
}

bool
tty_size(int fd, unsigned int *ret_columns, unsigned int *ret_rows)
{
	struct winsize size;

	if (isatty(fd) != 1 || ioctl(fd, TIOCGWINSZ, &size) != 0 ||
	    size.ws_col == 0 || size.ws_row == 0)
		return false;
	*ret_columns = size.ws_col;
	*ret_rows = size.ws_row;
	return true;
}

bool
tty_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void
tty_wipe(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}
