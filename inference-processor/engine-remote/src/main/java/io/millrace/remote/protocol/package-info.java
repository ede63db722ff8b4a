/**
 * What servers read and write: requests to bodies, bodies and streams to answers, errors to what they mean. No network and no threads.
 */
@NullMarked
package io.millrace.remote.protocol;

import org.jspecify.annotations.NullMarked;
