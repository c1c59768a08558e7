import overview from '../../../graphql/operations/Overview.graphql?raw';
import processorsOf from '../../../graphql/operations/ProcessorsOf.graphql?raw';
import whereIs from '../../../graphql/operations/WhereIs.graphql?raw';

const email = JSON.stringify({ category: 'user.contact.email' }, null, 2);

/** The tabs that GraphiQL opens with: named questions of the contract. */
export const questions = [
  { query: whereIs, variables: email },
  { query: processorsOf, variables: email },
  { query: overview },
];
