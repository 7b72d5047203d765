/** Names of environment variables that hold a secret, whoever sets them. */
export const secretVariable = /PASS(WORD|WD)?$|SECRET|TOKEN|_AUTH$|REDISCLI_AUTH|API_?KEY|PRIVATE_KEY/i;
