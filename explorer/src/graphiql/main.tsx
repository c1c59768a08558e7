import { setNonce } from 'get-nonce';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { createRoot } from 'react-dom/client';

import { fetcher } from './fetcher';
import { memoryStorage } from './memory';
import './page.css';
import { questions } from './questions';

// Dialogs lock scrolling by a style element, which the content security policy allows with the page's nonce only.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
if (nonce) setNonce(nonce);

const place = document.getElementById('graphiql');
if (!place) throw new Error('graphiql.html has no element #graphiql');

// Not in React's StrictMode: GraphiQL's editors do not survive its second mount.
createRoot(place).render(
  <GraphiQL
    fetcher={fetcher}
    storage={memoryStorage()}
    defaultTabs={questions}
    variables={questions[0]?.variables}
    defaultEditorToolsVisibility="variables"
    isHeadersEditorEnabled={false}
    shouldPersistHeaders={false}
  />,
);
