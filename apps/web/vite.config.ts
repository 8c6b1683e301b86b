import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss()],
  // The libraries' sources rather than what an earlier build left in their dist.
  resolve: { conditions: ['gleaner-source', 'module', 'browser', 'development|production'] },
  worker: { format: 'es' },
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2024',
    manifest: true,
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': 'http://localhost:8400' } },
});
