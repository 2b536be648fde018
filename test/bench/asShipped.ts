import Module from 'node:module';

// The extension is shipped without ssh2's native parts, so they are not measured either; ssh2 does without where they fail to load.
const extensions = (Module as unknown as { readonly _extensions: Record<string, () => never> })._extensions;
extensions['.node'] = () => {
  throw new Error('The extension has no native parts');
};
