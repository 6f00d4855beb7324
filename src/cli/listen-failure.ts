/** What to do when the port cannot be had: one line for the operator. */
export function listenFailure(code: string, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use. Choose another with --port; 0 picks a free one.`;
    case 'EACCES':
      return `port ${port} needs more rights than this user has. Choose one above 1023.`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${host}. Choose another with --host.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name ${host} cannot be resolved. Choose another with --host.`;
    default:
      return `cannot listen on ${host}, port ${port} (${code}).`;
  }
}
