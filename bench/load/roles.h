// What the program can be.
#pragma once
#include "options.h"
#include "tls.h"

// Each runs until its work is done, or until standard input ends.
void sink_role(const struct options *options);
void connect_role(const struct options *options);
void crowd_role(const struct options *options);
