import type { Fetcher, FetcherParams, FetcherReturnType } from '@graphiql/toolkit';

/** Ask the service this page came from. The session cookie signs the request; no header is set by hand. */
export const fetcher: Fetcher = async (question: FetcherParams): Promise<Awaited<FetcherReturnType>> => {
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  return (await response.json()) as Awaited<FetcherReturnType>;
};
