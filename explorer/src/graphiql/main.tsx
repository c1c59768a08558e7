import { setNonce } from 'get-nonce';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { StrictMode } from 'react';
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

createRoot(place).render(
  <StrictMode>
    <GraphiQL
      fetcher={fetcher}
      storage={memoryStorage()}
      defaultTabs={questions}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled={false}
      shouldPersistHeaders={false}
    />
  </StrictMode>,
);
