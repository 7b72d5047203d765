/** Names of environment variables that hold a secret, of any program. */
export const secretVariable = /PASS(WORD|WD)?$|SECRET|TOKEN|_AUTH$|REDISCLI_AUTH|API_?KEY|PRIVATE_KEY/i;
