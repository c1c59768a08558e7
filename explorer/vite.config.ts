import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// One page a build: `vite build --mode graphiql` takes graphiql.html and src/graphiql/ and writes what the Python
// service serves at /static/graphiql/. A further page is a further .html, a folder in src/ and a line in `build`.
export default defineConfig(({ mode: page }) => ({
  base: `/static/${page}/`,
  plugins: [react()],
  define: { 'process.env.NODE_ENV': '"production"' },
  // The service puts a fresh nonce here in every answer; it is what lets scripts add style elements.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: fileURLToPath(new URL(`../inventory/api/static/${page}`, import.meta.url)),
    emptyOutDir: true,
    // The icon stays a file, as everything else that a browser may cache.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    rollupOptions: { input: fileURLToPath(new URL(`./${page}.html`, import.meta.url)) },
  },
}));
