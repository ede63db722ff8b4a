package io.millrace.echo;

/** What becomes of a request. */
sealed interface Reply permits Echo, Refused {}
