/** A refusal as RFC 9457 describes it. It says nothing about who was refused or why more than its title. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export const PROBLEM_TYPE = 'application/problem+json';

export function problemBody({ title, status }: Problem): string {
  return JSON.stringify({ title, status });
}

/** As a web-standard response. */
export function problemResponse(problem: Problem): Response {
  const headers = { ...problem.headers, 'content-type': PROBLEM_TYPE };
  return new Response(problemBody(problem), { status: problem.status, headers });
}

/** On node:http's response, which express's and connect's are. */
export function sendProblem(
  response: { statusCode: number; setHeader(name: string, value: string): unknown; end(body: string): unknown },
  problem: Problem,
): void {
  response.statusCode = problem.status;
  for (const [name, value] of Object.entries(problem.headers ?? {})) response.setHeader(name, value);
  response.setHeader('Content-Type', PROBLEM_TYPE);
  response.end(problemBody(problem));
}

/** The parts of fastify's reply that hooks use. */
export interface FastifyReplyLike {
  header(name: string, value: string): unknown;
  code(status: number): { send(payload: unknown): unknown };
}

/** On fastify's reply; a hook returns what this returns. */
export function replyProblem(reply: FastifyReplyLike, problem: Problem): unknown {
  for (const [name, value] of Object.entries(problem.headers ?? {})) reply.header(name, value);
  reply.header('content-type', PROBLEM_TYPE);
  return reply.code(problem.status).send(problemBody(problem));
}
