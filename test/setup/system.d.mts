export declare function installSystemPackages(needs: readonly ('simulator' | 'bench' | 'server' | 'browser')[]): Promise<void>;
