/** What mocks cannot prove: the remote engine before a real model server with a real model. */
@NullMarked
package io.millrace.servers;

import org.jspecify.annotations.NullMarked;
